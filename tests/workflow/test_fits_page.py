"""The files and commands of docs/fits.md, as a reader would type them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from pages import Page, typed

PAGE = Page("fits.md")
PRINTED = [text for language, text in PAGE.blocks if language == "text"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the files of the page."""
    return PAGE.write(tmp_path_factory.mktemp("fits"))


def numbers(text: str) -> np.ndarray:
    return np.array([float(n) for n in re.findall(r"-?\d+\.?\d*(?:e[-+]\d+)?", text)])


def test_every_block_of_code_is_a_file_and_every_command_has_an_output():
    assert len(PAGE.files) == len(PAGE.code)
    assert len(PRINTED) == len(PAGE.commands)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "printed"), list(zip(PAGE.commands, PRINTED, strict=True)))
def test_command(command, printed, folder):
    output = typed(command, folder)
    if "numpyro" in command:  # 300 samples know a mean to a tenth of its standard deviation
        np.testing.assert_allclose(numbers(output), numbers(printed), atol=0.03)
    else:  # rounded numbers, gradients beside an optimum and counts of steps aside
        rates = [text.partition("]")[0] for text in (output, printed)]
        np.testing.assert_allclose(numbers(rates[0]), numbers(rates[1]), rtol=1e-3)
