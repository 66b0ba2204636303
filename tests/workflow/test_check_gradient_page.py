"""The files and commands of docs/check-gradient.md, as a reader would type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages import Page, typed

EXPECTED = {
    "python check.py": (
        "gradient check: failed",
        "differentiation lack the saltation term",
        "p['stop']: 0, should be 3 +-",
    ),
    "python judge.py": ("failed ['d y / d r at t = 5']",),
    "pytest -q test_loss.py": ("1 passed",),
}

PAGE = Page("check-gradient.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the files of the page."""
    return PAGE.write(tmp_path_factory.mktemp("check"))


def test_every_block_of_code_is_a_file_and_every_command_is_expected():
    assert len(PAGE.files) == len(PAGE.code)
    assert list(EXPECTED) == PAGE.commands


@pytest.mark.slow
@pytest.mark.parametrize("command", PAGE.commands)
def test_command(command, folder):
    output = typed(command, folder)
    for words in EXPECTED[command]:
        assert words in output
