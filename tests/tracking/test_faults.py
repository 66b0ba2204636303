"""A store that is damaged, locked or away: one sentence soon, and the next run catches up."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gradaudit.errors import SettingError
from gradaudit.pipeline.address import public_uri
from gradaudit.pipeline.config.naming import check_names
from gradaudit.pipeline.config.reading import study_of
from gradaudit.stages import track
from gradaudit.tracking import reach, sync
from gradaudit.tracking.store import opened

SOON = 30.0  # s
SECRET = "hunter2"
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if sys.platform == "linux" else []


def told(results: dict[str, Any]) -> str:
    """The sentence with which tracking fails, which is soon."""
    start = time.monotonic()
    with pytest.raises(SettingError) as error:
        track.run(**results)
    assert time.monotonic() - start < SOON
    sentence = str(error.value)
    assert "\n" not in sentence
    return sentence


def database(results: dict[str, Any]) -> Path:
    return results["output"].parent.parent / "mlflow" / "mlflow.db"


def closed_port() -> int:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.slow
@pytest.mark.sampled(2)
@pytest.mark.parametrize("left", [0.5, 0.02])
def test_a_truncated_store_is_told_and_built_anew_where_it_was_deleted(tracked, store, left):
    path = database(tracked)
    with path.open("r+b") as file:
        file.truncate(int(left * path.stat().st_size))
    assert "is damaged (" in told(tracked)
    shutil.rmtree(path.parent)
    track.run(**tracked)
    assert set(Counter(run.data.tags[sync.KEY] for run in store()).values()) == {1}


@pytest.mark.slow
def test_a_file_that_is_no_store_is_told(tracked):
    database(tracked).write_bytes(b"no database" * 100)
    assert "is damaged (file is not a database)" in told(tracked)


@pytest.mark.slow
def test_a_locked_store_is_told_and_the_next_run_logs_nothing_twice(tracked, store, monkeypatch):
    monkeypatch.setattr(reach, "PATIENCE", 0.3)
    before = len(store())
    with closing(sqlite3.connect(database(tracked))) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "is locked by another program" in told(tracked)
    track.run(**tracked)
    assert len(store()) == before


@pytest.mark.sampled(2)
@pytest.mark.parametrize("scheme", ["http", "postgresql"])
def test_a_port_at_which_nobody_listens_is_told(tracked, scheme):
    port = closed_port()
    tracked["settings"]["uri"] = f"{scheme}://127.0.0.1:{port}/runs"
    assert f"nobody answers at 127.0.0.1, port {port} (Connection refused)" in told(tracked)


def test_a_server_that_does_not_answer_is_told(tracked, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")  # of 10 s
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with closing(socket.socket()) as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        tracked["settings"]["uri"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert "cannot be used: " in told(tracked)


def test_the_waiting_times_that_are_set_end_within_half_a_minute():
    seconds = int(reach._ENVIRONMENT["MLFLOW_HTTP_REQUEST_TIMEOUT"])
    tries = 1 + int(reach._ENVIRONMENT["MLFLOW_HTTP_REQUEST_MAX_RETRIES"])
    assert seconds * tries < SOON
    assert reach.PATIENCE < SOON


@pytest.mark.parametrize(
    ("uri", "variable"),
    [
        (f"postgresql://me:{SECRET}@host/runs", "PGPASSWORD"),
        (f"postgresql://host/runs?user=me&password={SECRET}", "PGPASSWORD"),
        (f"https://me:{SECRET}@host", "MLFLOW_TRACKING_PASSWORD"),
    ],
)
def test_an_address_with_a_password_is_refused_and_not_repeated(tracked, uri, variable):
    with pytest.raises(SettingError, match=variable) as error:
        check_names(study_of({"tracking": {"uri": uri}}))
    assert SECRET not in str(error.value)
    tracked["settings"]["uri"] = uri
    assert SECRET not in told(tracked)
    assert SECRET not in public_uri(uri)


def test_a_user_without_password_is_no_secret():
    check_names(study_of({"tracking": {"uri": "postgresql://me@host/runs"}}))


class Server:
    """MLflow's own server, over a store of its own, at one port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, closed_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers"]
        command += ["1", "--port", str(self.port), "--backend-store-uri"]
        command += [f"sqlite:///{self.folder / 'server.db'}", "--artifacts-destination"]
        command += [str(self.folder / "files")]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + 90.0
        while True:
            with closing(socket.socket()) as client:
                client.settimeout(1.0)
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, 9)
            self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.mark.slow
def test_a_server_that_dies_midway_is_told_and_the_next_run_catches_up(
    tracked, server, monkeypatch
):
    tracked["settings"]["uri"] = server.uri
    upload, uploaded = sync._upload, []

    def dying(client, identity, plan):
        uploaded.append(plan.key)
        if len(uploaded) == 5:
            server.kill()
        upload(client, identity, plan)

    monkeypatch.setattr(sync, "_upload", dying)
    assert f"The MLflow store {server.uri} cannot be used: " in told(tracked)
    monkeypatch.setattr(sync, "_upload", upload)
    server.start()
    track.run(**tracked)
    with opened(server.uri, "gradaudit") as (client, experiment):
        runs = client.search_runs([experiment], max_results=1000)
    keys = Counter(run.data.tags[sync.KEY] for run in runs)
    assert len(keys) == 16
    assert set(keys.values()) == {1}
    assert {run.info.status for run in runs} == {"FINISHED"}


@pytest.fixture
def postgresql(tmp_path_factory) -> Iterator[str]:
    """The address of a database server of this test, which asks for a password."""
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed (Debian's package postgresql)")
    pytest.importorskip("psycopg2")
    folder, port = Path("/tmp") / f"gradaudit-pg-{os.getpid()}", closed_port()
    folder.mkdir(mode=0o755)
    as_user: dict[str, Any] = {}
    if os.getuid() == 0:  # which PostgreSQL refuses
        shutil.chown(folder, "postgres", "postgres")
        as_user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    secret = folder / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o644)

    def call(name: str, *arguments: object) -> None:
        command = [str(BINARIES[-1] / name), *map(str, arguments)]
        subprocess.run(
            command, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=120, **as_user
        )

    try:
        call("initdb", "-D", folder / "data", "-U", "me", "-A", "scram-sha-256", "--no-sync",
             f"--pwfile={secret}")  # fmt: skip
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
        call("pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", options, "start")
        yield f"postgresql://127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [str(BINARIES[-1] / "pg_ctl"), "-D", str(folder / "data"), "-m", "immediate", "stop"],
            check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_user,
        )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)


TRACK = """
import json, sys
from pathlib import Path
from gradaudit.stages import track
given = json.load(open(sys.argv[1]))
files = {name: [Path(p) for p in value] if isinstance(value, list) else Path(value)
         for name, value in given["files"].items()}
track.run(**files, settings=given["settings"])
"""


@pytest.mark.slow
def test_two_studies_write_to_one_postgresql_store_at_once(
    tracked, tmp_path, postgresql, monkeypatch
):
    monkeypatch.setenv("PGUSER", "me")
    monkeypatch.setenv("PGPASSWORD", SECRET)
    place = tmp_path / "artifacts"
    settings = {"uri": postgresql, "experiment": "gradaudit", "artifacts": str(place)}
    started = []
    for name in ("one", "two"):
        files = {key: value for key, value in tracked.items() if key != "settings"}
        files["output"] = tmp_path / name / "track" / "done.json"
        text = json.dumps({"files": files, "settings": settings}, default=str)
        (tmp_path / f"{name}.json").write_text(text)
        command = [sys.executable, "-c", TRACK, str(tmp_path / f"{name}.json")]
        started.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
    for process in started:
        _, errors = process.communicate(timeout=200)
        assert process.returncode == 0, errors
        assert SECRET not in errors
    with opened(postgresql, "gradaudit") as (client, experiment):
        runs = client.search_runs([experiment], max_results=1000)
    keys = Counter(run.data.tags[sync.KEY] for run in runs)
    assert len(keys) == 16
    assert set(keys.values()) == {1}
    done = [json.loads((tmp_path / n / "track/done.json").read_text()) for n in ("one", "two")]
    assert sorted(len(each["added"]) for each in done) == [0, 16]
    assert list(place.rglob("*.png"))
    monkeypatch.setenv("PGPASSWORD", "wrong")
    tracked["settings"] = settings
    sentence = told(tracked)
    assert "password authentication failed" in sentence
    assert "wrong" not in sentence.replace("wrong password", "")
