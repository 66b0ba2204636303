"""The files and commands of docs/check-gradient.md, as a reader would type them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "check-gradient.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [text.strip() for language, text in BLOCKS if language == "sh"]
EXPECTED = {
    "python check.py": (
        "gradient check: failed",
        "differentiation lack the saltation term",
        "p['stop']: 0, should be 3 +-",
    ),
    "python judge.py": ("failed ['d y / d r at t = 5']",),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the files of the page."""
    path = tmp_path_factory.mktemp("check")
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
