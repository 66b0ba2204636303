"""The files and commands of docs/adding-a-model.md, as a reader would type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages import Page, typed

EXPECTED = {
    "gradaudit new": "my_model.py is a complete model",
    "python look.py": "ok 1",
    "python likelihood.py": "ok ok",
    "gradaudit audit": "for an error of 1e-2: tsit5, ",
    "snakemake": "my_results/evaluate/pendulum@length=1.parquet",
    "python events.py": "infusion.py ok",
}


PAGE = Page("adding-a-model.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the files; commands of the page leave theirs in it, too."""
    return PAGE.write(tmp_path_factory.mktemp("tutorial"))


def test_every_block_of_code_is_a_file():
    assert len(PAGE.files) == len(PAGE.code)


def test_every_command_is_expected():
    assert [c for c in PAGE.commands if not c.startswith(tuple(EXPECTED))] == []
    assert len(PAGE.commands) == len(EXPECTED)


@pytest.mark.slow
@pytest.mark.parametrize("command", PAGE.commands)
def test_command(command, folder):
    expected = next(words for start, words in EXPECTED.items() if command.startswith(start))
    assert expected in typed(command, folder)


@pytest.mark.slow
def test_the_models_of_the_page_are_models(folder, monkeypatch):
    import gradaudit

    monkeypatch.chdir(folder)
    for name in ("pendulum.py", "drug.py", "infusion.py", "ball.py"):
        gradaudit.load_model(name)
    assert gradaudit.load_model("pendulum.py@length=1").parameters["length"] == (1.0, "m")


def test_the_closed_form_of_the_page_is_that_of_its_reference(folder):
    """To 1e-12 of the largest entry: the closed form is evaluated in double precision."""
    import jax
    import numpy as np

    import gradaudit

    model = gradaudit.load_model(folder / "drug.py")
    truth = gradaudit.reference(model)
    exact = np.stack(
        [jax.jacfwd(model.exact_solution, argnums=1)(t, model.nominal) for t in truth.times]
    )
    largest = np.abs(exact).max(axis=(0, 1))
    assert truth.status == "ok"
    assert np.max(np.abs(truth.sensitivities - exact) / largest) < 1e-12
