"""Jobs as forks: nothing differs from a process of their own but the time that it takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradaudit import warm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are none elsewhere")
COMMAND = [
    sys.executable,
    "-c",
    "import sys; from gradaudit.cli import command; sys.exit(command())",
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Of commands that find warm processes, which end with the module."""
    stop = warm.start(tmp_path_factory.mktemp("warm") / "warm.log")
    folder = Path(os.environ[warm.VARIABLE])
    yield dict(os.environ)
    stop()
    assert warm.VARIABLE not in os.environ
    deadline = time.monotonic() + 10
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not folder.exists()


def run(arguments, environment, folder):
    return subprocess.run(
        [*COMMAND, *arguments], env=environment, cwd=folder, capture_output=True, text=True
    )


BAD = [
    "gradients",
    "absent.py",
    "--solver",
    "tsit5",
    "--settings",
    '{"methods": []}',
    "--output",
    "x.nc",
]


def test_code_and_streams_are_those_of_a_process_of_its_own(environment, tmp_path):
    """And the folder: the model is looked for where the caller is."""
    alone = {k: v for k, v in environment.items() if k != warm.VARIABLE}
    forked, own = run(BAD, environment, tmp_path), run(BAD, alone, tmp_path)
    assert forked.returncode == own.returncode != 0
    assert forked.stdout == own.stdout
    assert forked.stderr == own.stderr
    assert "absent" in forked.stderr


def test_a_process_that_is_gone_is_done_without(environment, tmp_path):
    gone = environment | {warm.VARIABLE: str(tmp_path / "nowhere")}
    assert run(BAD, gone, tmp_path).returncode == run(BAD, environment, tmp_path).returncode


def test_other_commands_are_not_sent(environment, monkeypatch):
    monkeypatch.setenv(warm.VARIABLE, environment[warm.VARIABLE])
    assert warm.through(["models"]) is None
    assert warm.through([]) is None


def test_no_stage_is_in_two_processes_and_each_exists():
    stages = [stage for names in warm.STAGES.values() for stage in names]
    assert len(stages) == len(set(stages))
    folder = Path(warm.__file__).parent / "stages"
    assert all((folder / f"{stage}.py").exists() for stage in stages)
