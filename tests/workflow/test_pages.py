"""The files and commands of pages of the documentation, as a reader would type them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pages import Page, typed
from problem.conftest import writer

EXPECTED: dict[str, dict[str, tuple[str, ...]]] = {
    "check-gradient.md": {
        "python check.py": (
            "gradient check: failed",
            "differentiation lack the saltation term",
            "p['stop']: 0, should be 3 +-",
        ),
        "python judge.py": ("failed ['d y / d r at t = 5']",),
        "pytest -q test_loss.py": ("1 passed",),
    },
    "checked-gradients.md": {
        "python look.py": (
            "plain: cosine with the differences -0.",
            "checked: cosine with the differences 1.000, loss 13.087 -> 12.147 after a step",
            "- The tangents are not controlled",
            "- The estimate itself saturates",
        ),
        "python fit.py": (
            "plain: loss 13.087, 0 iterations",
            "checked: loss 0.601",
            "- The Jacobian nearly vanishes",
        ),
        "python replaced.py": ("drop-in: [ 57.600",),
    },
    "fisher-and-tolerance.md": {
        "python errors.py": (
            "Fisher information, 2 parameters: ok",
            "not resolved: the errors of the Jacobian may make F singular along",
            "condition not resolved",
            "d2 loss / d rate d size: -8.87",
        )
    },
}
COMMANDS = [(name, command) for name, own in EXPECTED.items() for command in own]


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory) -> Callable[[str], Path]:
    """From the name of a page to a folder with its files."""
    folders: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in folders:
            folders[name] = Page(name).write(tmp_path_factory.mktemp("page"))
        return folders[name]

    return folder


@pytest.mark.parametrize("name", EXPECTED)
def test_every_block_of_code_is_a_file_and_every_command_is_expected(name):
    page = Page(name)
    assert len(page.files) == len(page.code)
    assert list(EXPECTED[name]) == page.commands


@pytest.mark.slow
@pytest.mark.parametrize(("name", "command"), COMMANDS)
def test_command(name, command, folder_of):
    output = typed(command, folder_of(name))
    for words in EXPECTED[name][command]:
        assert words in output


@pytest.mark.slow
def test_a_recommendation_of_a_problem(folder_of):
    folder = folder_of("fisher-and-tolerance.md")
    own = folder / "problem"
    own.mkdir()
    writer(own)()
    output = typed(f"python needed.py {own / 'problem.yaml'}", folder)
    assert "standard_error  tsit5" in output
    assert "nominal: Newton step of" in output
