"""The files and commands of docs/fisher-and-tolerance.md, as a reader would type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages import Page, typed

EXPECTED = {
    "python errors.py": (
        "Fisher information, 2 parameters: ok",
        "not resolved: the errors of the Jacobian may make F singular along",
        "condition not resolved",
        "d2 loss / d rate d size: -8.87",
    )
}

PAGE = Page("fisher-and-tolerance.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the files of the page."""
    return PAGE.write(tmp_path_factory.mktemp("fisher"))


def test_every_block_of_code_is_a_file_and_every_command_is_expected():
    assert len(PAGE.files) == len(PAGE.code)
    assert list(EXPECTED) == PAGE.commands


@pytest.mark.slow
@pytest.mark.parametrize("command", PAGE.commands)
def test_command(command, folder):
    output = typed(command, folder)
    for words in EXPECTED[command]:
        assert words in output


@pytest.mark.slow
def test_a_recommendation_of_a_problem(folder):
    from problem.conftest import writer

    own = folder / "problem"
    own.mkdir()
    writer(own)()
    output = typed(f"python needed.py {own / 'problem.yaml'}", folder)
    assert "standard_error  tsit5" in output
    assert "nominal: Newton step of" in output
