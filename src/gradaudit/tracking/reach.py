"""Whether a store can be used at all, found out at once.

MLflow tries again for minutes where nobody answers, and tells of it in a traceback.
"""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from gradaudit.errors import SettingError
from gradaudit.pipeline.address import is_postgresql, public_uri

PATIENCE = 10.0  # s, for one answer
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306}
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "PGCONNECT_TIMEOUT": "10",
}


def impatient() -> None:
    """Have MLflow, which is imported afterwards, give up where nobody answers."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


def check_server(uri: str) -> None:
    """Ask whether anybody listens at the host and port of an address.

    Raises
    ------
    SettingError
        If nobody does.
    """
    parts = urlsplit(uri)
    port = parts.port or _PORTS.get(parts.scheme.partition("+")[0])
    if not parts.hostname or port is None:
        return
    try:
        socket.create_connection((parts.hostname, port), timeout=PATIENCE).close()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise SettingError(
            f"The MLflow store {public_uri(uri)} cannot be reached: nobody answers at "
            f"{parts.hostname}, port {port} ({reason}). Start it, or correct tracking.uri, and run "
            "again: everything else is kept, and only the stage track is made up for."
        ) from error


def check_database(database: Path) -> None:
    """Read a SQLite store as a whole, and take its lock for a moment.

    Raises
    ------
    SettingError
        If it is damaged, or another program holds its lock.
    """
    if not database.is_file():
        return
    try:
        with closing(sqlite3.connect(database, timeout=PATIENCE, isolation_level=None)) as store:
            store.execute("BEGIN IMMEDIATE")
            store.execute("ROLLBACK")
            (word,) = store.execute("PRAGMA quick_check(1)").fetchone()
            tables = {row[0] for row in store.execute("SELECT name FROM sqlite_master")}
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise _damaged(database, str(error)) from error
        raise SettingError(
            f"The MLflow store {database} is locked by another program for more than "
            f"{PATIENCE:g} s. End that program, and run again: only the stage track is made up for."
        ) from error
    except sqlite3.DatabaseError as error:
        raise _damaged(database, str(error)) from error
    if word != "ok":
        raise _damaged(database, str(word).splitlines()[0])
    if tables and "alembic_version" not in tables:
        raise _damaged(database, "it is no store of MLflow")


def _damaged(database: Path, reason: str) -> SettingError:
    return SettingError(
        f"The MLflow store {database} is damaged ({reason}). Delete {database.parent}, or move it "
        "away, and run again: the store is built anew from the results."
    )


@contextmanager
def alone_in_database(uri: str) -> Iterator[None]:
    """Wait until no other study writes to a PostgreSQL store, and keep it so.

    Two would make its tables twice, or log a run twice.

    The lock ends with its connection, however this process ends. A server has no such lock.
    """
    if not is_postgresql(uri):
        yield
        return
    import sqlalchemy

    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        query = sqlalchemy.text("SELECT pg_advisory_lock(hashtext('gradaudit'))")
        connection.execute(query)
        try:
            yield
        finally:
            connection.invalidate()
