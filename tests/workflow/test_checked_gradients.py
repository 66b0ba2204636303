"""The files and commands of docs/checked-gradients.md, as a reader would type them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "checked-gradients.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [text.strip() for language, text in BLOCKS if language == "sh"]
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the files of the page."""
    path = tmp_path_factory.mktemp("checked")
    for language, text in BLOCKS:
        if language == "python":
            (path / text.split()[1]).write_text(text, encoding="utf-8")
    return path


def test_every_block_of_code_is_a_file_and_every_command_is_expected():
    assert all(re.match(r"# \w+\.py\n", text) for language, text in BLOCKS if language == "python")
    assert list(EXPECTED) == COMMANDS


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, folder):
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
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
    for words in EXPECTED[command]:
        assert words in output
