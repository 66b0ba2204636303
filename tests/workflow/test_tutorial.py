"""The files and commands of docs/adding-a-model.md, as a reader would type them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIAL = (ROOT / "docs" / "adding-a-model.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
COMMANDS = [text.strip() for language, text in BLOCKS if language == "sh"]
EXPECTED = {
    "gradaudit new": "my_model.py is a complete model",
    "python look.py": "ok 1",
    "python likelihood.py": "ok ok",
    "gradaudit audit": "Cheapest setting for an error of 1e-2: tsit5, ",
    "snakemake": "my_results/evaluate/pendulum@length=1.parquet",
    "python events.py": "infusion.py ok",
}


def files() -> dict[str, str]:
    """Blocks that begin with a comment that is a file's name."""
    named = {}
    for language, text in BLOCKS:
        match = re.match(r"# (\w+\.\w+)\n", text)
        if match and language in ("python", "yaml"):
            named[match[1]] = text
    return named


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the files; commands of the page leave theirs in it, too."""
    path = tmp_path_factory.mktemp("tutorial")
    for name, text in files().items():
        (path / name).write_text(text, encoding="utf-8")
    return path


def test_every_block_of_code_is_a_file():
    assert len(files()) == sum(language in ("python", "yaml") for language, _ in BLOCKS)


def test_every_command_is_expected():
    assert [c for c in COMMANDS if not c.startswith(tuple(EXPECTED))] == []
    assert len(COMMANDS) == len(EXPECTED)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, folder):
    environment = {
        **os.environ,
        "GRADAUDIT": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(folder / "cache"),
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # programs here are compiled to run once
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert "Traceback" not in output
    expected = next(words for start, words in EXPECTED.items() if command.startswith(start))
    assert expected in output


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
