"""The command that shows the runs: what it starts, and when it starts nothing."""

import os
import re
import sys
from pathlib import Path

import pytest

from gradaudit.tracking import ui
from gradaudit.tracking.store import default_uri

ROOT = Path(__file__).parents[2]


@pytest.fixture
def started(monkeypatch):
    """The commands that would have replaced this process."""
    commands = []
    monkeypatch.setattr(os, "execv", lambda program, command: commands.append((program, command)))
    monkeypatch.setattr(ui, "quiet_environment", lambda: None)
    return commands


def test_runs_on_a_server_are_named_and_nothing_is_started(started, capsys):
    assert ui.show(uri="https://runs.example", store=Path("none"), port=5000) == 0
    assert "open https://runs.example in a browser" in capsys.readouterr().out
    assert started == []


def test_prepared_views_are_printed_with_their_links(started, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(ui, "relocate", lambda database: None)
    (tmp_path / "mlflow.db").write_bytes(b"")
    ui.show(uri="", store=tmp_path, port=5005, views={"Models by verdict": "#/experiments/1"})
    printed = capsys.readouterr().out
    assert "  Models by verdict:\n    http://127.0.0.1:5005/#/experiments/1" in printed
    ui.show(uri="https://runs.example/", store=tmp_path, port=1, views={"A": "#/b"})
    assert "  A:\n    https://runs.example/#/b" in capsys.readouterr().out


def test_a_store_that_does_not_exist_is_refused(started, tmp_path, capsys):
    assert ui.show(uri="", store=tmp_path / "none", port=5000) == 2
    assert "does not exist: run stage track first" in capsys.readouterr().err
    assert started == []


def test_a_store_is_served_on_this_machine_alone(started, tmp_path, monkeypatch, capsys):
    relocated = []
    monkeypatch.setattr(ui, "relocate", relocated.append)
    database = ui.database_of(default_uri(tmp_path))
    assert database is not None
    database.write_bytes(b"")
    ui.show(uri="", store=tmp_path, port=5005)
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


@pytest.fixture
def shown(monkeypatch):
    """The stores that would have been served."""
    stores = []
    monkeypatch.setattr(ui, "show", lambda **store: stores.append(store) or 0)
    return stores


def test_store_and_address_are_those_of_the_configuration(shown, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text('results: "it\'s; touch $(x)"\ntracking: {uri: "http://a\'b"}\n')
    assert ui.main([str(path), "--port", "5001"]) == 0
    store = Path("it's; touch $(x)/mlflow")
    assert shown == [{"uri": "http://a'b", "store": store, "port": 5001, "views": {}}]
    done = tmp_path / "track/done.json"
    done.parent.mkdir()
    done.write_text('{"views": {"Models": "#/experiments/1"}}')
    path.write_text(f"results: {tmp_path}\n")
    assert ui.main([str(path)]) == 0
    views = {"Models": "#/experiments/1"}
    assert shown[1] == {"uri": "", "store": tmp_path / "mlflow", "port": 5000, "views": views}


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "no such configuration file"), ("resultz: x", "unknown key 'resultz'"), ("{", "YAML")],
)
def test_a_configuration_that_is_invalid_is_named(text, message, shown, tmp_path, capsys):
    path = tmp_path / "config.yaml"
    if text is not None:
        path.write_text(text)
    assert ui.main([str(path)]) == 2
    assert message in capsys.readouterr().err
    assert shown == []


def test_the_makefile_reads_no_value_of_the_configuration():
    """What it does with the file is to name it to programs."""
    text = (ROOT / "Makefile").read_text()
    calls = [line for line in text.splitlines() if "$(CONFIG)" in line]
    program = (
        r"--configfile \$\(CONFIG\)$|-m gradaudit\.\w+\.\w+ (--port \$\(PORT\) )?\$\(CONFIG\)$"
    )
    assert calls
    assert all(re.search(program, line) for line in calls), calls
