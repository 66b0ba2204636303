"""Jobs as forks: nothing differs from a process of their own but the time that it takes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gradaudit.pipeline import prefork
from gradaudit.records.code_digest import stage_names

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are none elsewhere")
COMMAND = [
    sys.executable,
    "-c",
    "import sys; from gradaudit.cli.main import command; sys.exit(command())",
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Of commands that find warm processes, which end with the module."""
    stop = prefork.start(tmp_path_factory.mktemp("warm") / "prefork.log")
    folder = Path(os.environ[prefork.VARIABLE])
    yield dict(os.environ)
    stop()
    assert prefork.VARIABLE not in os.environ
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


@pytest.mark.slow
def test_code_and_streams_are_those_of_a_process_of_its_own(environment, tmp_path):
    """And the folder: the model is looked for where the caller is."""
    alone = {k: v for k, v in environment.items() if k != prefork.VARIABLE}
    forked, own = run(BAD, environment, tmp_path), run(BAD, alone, tmp_path)
    assert forked.returncode == own.returncode != 0
    assert forked.stdout == own.stdout
    assert forked.stderr == own.stderr
    assert "absent" in forked.stderr


@pytest.mark.slow
def test_a_process_that_is_gone_is_done_without(environment, tmp_path):
    gone = environment | {prefork.VARIABLE: str(tmp_path / "nowhere")}
    assert run(BAD, gone, tmp_path).returncode == run(BAD, environment, tmp_path).returncode


@pytest.mark.slow
def test_other_commands_are_not_sent(environment, monkeypatch):
    monkeypatch.setenv(prefork.VARIABLE, environment[prefork.VARIABLE])
    assert prefork.through(["models"]) is None
    assert prefork.through([]) is None


@pytest.mark.slow
def test_no_stage_is_in_two_processes_and_each_exists():
    served = [stage for process in prefork.PROCESSES for stage in prefork.stages_of(process)]
    assert len(served) == len(set(served))
    assert set(served) == set(stage_names()) - {"track"}


@pytest.mark.slow
def test_a_job_ends_with_its_workflow_however_that_ends(tmp_path):
    """Else it would write over the results of the next run."""
    (tmp_path / "slow.py").write_text("import pathlib, time\npathlib.Path('at_work').touch()\n"
                                      "time.sleep(100)\n")  # fmt: skip
    workflow = (
        "import pathlib, subprocess, sys, time\n"
        "from gradaudit.pipeline import prefork\n"
        "prefork.start(pathlib.Path('warm.log'))\n"
        "import os\n"
        f"place = pathlib.Path(os.environ[{prefork.VARIABLE!r}]) / 'stage-reference'\n"
        "while not place.exists(): time.sleep(0.05)\n"
        f"job = subprocess.Popen({COMMAND!r} + ['reference', 'slow.py', '--settings', '{{}}',"
        " '--output', 'x.nc'])\n"
        "print(job.pid, flush=True)\n"
        "time.sleep(100)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", workflow], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    job = int(process.stdout.readline())
    wait_until(lambda: (tmp_path / "at_work").exists())
    process.kill()
    process.communicate()
    wait_until(lambda: not is_running(job))


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(true, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
