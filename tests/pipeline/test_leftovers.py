"""What a killed run leaves behind goes with the next one, and nothing that is alive does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gradaudit.pipeline import alive, leftovers, start, temporary
from gradaudit.pipeline.config import study_of

HOLDER = """
import sys
from pathlib import Path
from gradaudit.pipeline import alive
alive.hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder():
    """Start a process that is alive at a path."""
    started = []

    def start_one(path):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture
def locked(tmp_path, monkeypatch):
    """A working folder with a lock of Snakemake's."""
    monkeypatch.chdir(tmp_path)
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").write_text("a\n")
    return tmp_path


def test_the_lock_of_a_dead_run_is_removed_and_that_of_a_live_one_stays(locked, holder, capsys):
    process = holder(leftovers.workflow_lock(locked))
    assert not leftovers.unlock(locked)
    assert start.main(["--unlock"]) == 1
    assert "A run is alive in this folder" in capsys.readouterr().err
    kill(process)
    assert start.main(["--unlock"]) == 0
    assert "The lock was removed." in capsys.readouterr().err
    assert not leftovers.is_locked(locked)
    assert start.main(["--unlock"]) == 0
    assert "not locked" in capsys.readouterr().err


def test_a_run_that_starts_unlocks_the_folder_of_a_dead_one(locked, capsys):
    (locked / "config.yaml").write_text("models: [logistic]\n")
    assert start.main(["config.yaml"]) == 0
    assert "The run that had locked this folder is dead" in capsys.readouterr().err
    assert not leftovers.is_locked(locked)


def test_files_that_were_being_written_are_removed_unless_their_process_lives(tmp_path, capsys):
    folder = tmp_path / "results" / "gradients" / "logistic"
    folder.mkdir(parents=True)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead, mine = folder / f".tsit5.{gone.pid}.nc", folder / f".tsit5.{os.getpid()}.nc"
    other, hidden = folder / "tsit5.nc", folder / ".notes.txt"
    for path in (dead, mine, hidden):
        path.write_text("half")
    study = study_of({"models": ["logistic"]})
    start.prepare(study, tmp_path)
    assert f"{dead} was never finished: it was removed." in capsys.readouterr().err
    assert not dead.exists()
    assert mine.exists()
    assert hidden.exists()
    assert not other.exists()


@pytest.mark.parametrize("lock", [leftovers.results_lock, leftovers.jobs_lock])
def test_nothing_is_removed_while_a_run_or_a_job_is_at_the_results(
    lock, tmp_path, holder, monkeypatch, capsys
):
    monkeypatch.setattr(start, "PATIENCE", 0.3)
    partial = tmp_path / "results" / "evaluate" / ".logistic.4194305.parquet"
    partial.parent.mkdir(parents=True)
    partial.write_text("half")
    process = holder(lock(tmp_path / "results"))
    started = start.prepare(study_of({"models": ["logistic"]}), tmp_path)
    assert started == (lock is leftovers.results_lock)
    assert partial.exists()
    assert ("waiting for it to end" in capsys.readouterr().err) == (lock is leftovers.jobs_lock)
    kill(process)
    assert start.prepare(study_of({"models": ["logistic"]}), tmp_path)
    assert not partial.exists()


def test_temporary_folders_of_the_dead_are_removed_and_no_others(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(temporary, "YOUNG", 0.0)
    mine = temporary.make()
    dead, live, foreign, deaf = (tmp_path / f"gradaudit-{name}" for name in "abcd")
    kill(holder(dead / temporary.ALIVE))
    holder(live / temporary.ALIVE)
    foreign.mkdir()
    (foreign / "notes.txt").write_text("somebody's work")
    deaf.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(deaf / "tables"))
        (deaf / "stage-evaluate").symlink_to("tables")
    (tmp_path / "gradaudit-empty").mkdir()
    assert temporary.remove_dead() == [dead, deaf]
    assert mine.exists()
    assert live.exists()
    assert foreign.exists()


def test_who_is_alone_is_told_so_and_holds_the_others_back(tmp_path, holder):
    path = tmp_path / "deep" / "lock"
    with alive.alone(path) as alone:
        assert alone
        with alive.alone(path) as second:
            assert not second
    with alive.held(path), alive.held(path), alive.alone(path, seconds=0.2) as alone:
        assert not alone
    holder(path)
    with alive.alone(path) as alone:
        assert not alone
    assert Path(path).exists()
