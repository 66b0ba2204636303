"""The command that shows the runs: what it starts, and when it starts nothing."""

import os
import sys
from pathlib import Path

import pytest

from gradaudit.tracking import ui
from gradaudit.tracking.store import default_uri


@pytest.fixture
def started(monkeypatch):
    """The commands that would have replaced this process."""
    commands = []
    monkeypatch.setattr(os, "execv", lambda program, command: commands.append((program, command)))
    monkeypatch.setattr(ui, "quiet_environment", lambda: None)
    return commands


def test_runs_on_a_server_are_named_and_nothing_is_started(started, capsys):
    assert ui.main(["--uri", "https://runs.example"]) == 0
    assert "open https://runs.example in a browser" in capsys.readouterr().out
    assert started == []


def test_a_store_that_does_not_exist_is_refused(started, tmp_path, capsys):
    assert ui.main(["--store", str(tmp_path / "none")]) == 2
    assert "does not exist: run stage track first" in capsys.readouterr().err
    assert started == []


def test_a_store_is_served_on_this_machine_alone(started, tmp_path, monkeypatch, capsys):
    relocated = []
    monkeypatch.setattr(ui, "relocate", relocated.append)
    database = ui.database_of(default_uri(tmp_path))
    assert database is not None
    database.write_bytes(b"")
    ui.main(["--store", str(tmp_path), "--port", "5005"])
    ((program, command),) = started
    assert program == sys.executable
    options = dict(zip(command[4::2], command[5::2], strict=True))
    assert command[:4] == [sys.executable, "-m", "mlflow", "server"]
    assert options == {
        "--host": "127.0.0.1",
        "--port": "5005",
        "--backend-store-uri": f"sqlite:///{database.resolve()}",
        "--workers": "1",
        "--artifacts-destination": str(tmp_path.resolve() / "artifacts"),
    }
    assert relocated == [Path(database)]
    assert "Open http://127.0.0.1:5005/#/experiments" in capsys.readouterr().out
