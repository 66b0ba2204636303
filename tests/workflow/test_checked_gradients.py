"""The files and commands of docs/checked-gradients.md, as a reader would type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages import Page, typed

EXPECTED = {
    "python look.py": (
        "plain: cosine -0.",
        "checked: cosine 1.000, loss 13.087 -> 12.147 downhill",
        "- The tangents are not controlled",
        "- The estimate itself saturates",
    ),
    "python fit.py": (
        "plain: loss 13.087, 0 iterations",
        "checked: loss 0.601",
        "- The Jacobian nearly vanishes",
    ),
    "python replaced.py": ("drop-in: [ 57.600",),
}

PAGE = Page("checked-gradients.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the files of the page."""
    return PAGE.write(tmp_path_factory.mktemp("checked"))


def test_every_block_of_code_is_a_file_and_every_command_is_expected():
    assert len(PAGE.files) == len(PAGE.code)
    assert list(EXPECTED) == PAGE.commands


@pytest.mark.slow
@pytest.mark.parametrize("command", PAGE.commands)
def test_command(command, folder):
    output = typed(command, folder)
    for words in EXPECTED[command]:
        assert words in output
