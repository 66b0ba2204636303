"""Opening an MLflow store: quietly, by one process at a time, wherever its folder has moved to.

A store in SQLite keeps its artifacts in the folder ``artifacts`` beside the database; for any other
one the configuration says where they go, or else the server.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gradaudit.errors import GradauditError, MissingExtraError, SettingError
from gradaudit.pipeline.address import check_address, is_postgresql, public_uri
from gradaudit.tracking.reach import alone_in_database, check_database, check_server, impatient

if TYPE_CHECKING:
    from mlflow import MlflowClient

_SQLITE = "sqlite:///"
_BESIDE = "gradaudit.artifacts"
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
_NOTE = (
    "Where forward-mode gradients through ODE solvers can be trusted. Begin with a prepared view: "
    "**Views**, above the runs.\n\n"
    "- There is one run per **model** and one per estimation **problem**, each with one nested run "
    "per solver and method, and one run **atlas** for all models.\n"
    "- Charts over *step* show convergence: a step is k · (−log10 rtol), with k steps per decade. "
    "With one tolerance a decade step 6 is rtol 1e-6, with two (the default study) it is rtol 1e-3 "
    "and step 12 is rtol 1e-6; the metric `rtol` has the tolerance itself. "
    "`digits` and `state_digits` are -log10 of the largest errors; `error/...` needs a logarithmic "
    "y axis.\n"
    "- Tags to filter by: `kind` (model, ladder, experiment, atlas, problem, problem setting), "
    "`model`, `solver`, `method`, `mechanism`, `regime`, `verdict`, `verdict.<functional>`, "
    "`status`; `needed_rtol` is the loosest tolerance from which on all gradients of a setting are "
    "right, `best` marks the cheapest such setting. These and the `verdict` of a setting leave out "
    "counts, and functionals whose data the solver makes itself.\n"
    "- What is not a finite number is no metric: see the tags `status` and `not_finite`.\n\n"
    "This store is disposable: `gradaudit track` rebuilds it from the results."
)
_TAGS = {"mlflow.experimentKind": "custom_model_development", "mlflow.note.content": _NOTE}


def quiet_environment() -> None:
    """Keep MLflow, which is imported afterwards, from calling home and from chatting."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)


def default_uri(folder: Path) -> str:
    """The tracking URI of the SQLite store in a folder, relative if the folder is."""
    return f"{_SQLITE}{folder / 'mlflow.db'}"


def database_of(uri: str) -> Path | None:
    """The file of a SQLite store; None for other stores."""
    return Path(uri.removeprefix(_SQLITE).split("?")[0]) if uri.startswith(_SQLITE) else None


@contextmanager
def opened(uri: str, experiment: str, artifacts: str = "") -> Iterator[tuple[MlflowClient, str]]:
    """A client of the store and the id of the experiment, both made if they are missing.

    Parameters
    ----------
    uri, experiment
        Address of the store, and name of the experiment.
    artifacts
        Where an experiment that is made keeps its files, in a store that is no SQLite file.

    Raises
    ------
    SettingError
        If the store cannot be opened or written; within half a minute.
    """
    check_address(uri)
    quiet_environment()
    impatient()
    database = database_of(uri)
    if database is None:
        check_server(uri)
    with _errors_told(uri):
        from mlflow import MlflowClient
        from mlflow.store.db import utils

        utils.MAX_RETRY_COUNT = 2  # of connections, with pauses that double
        if database is None:
            with alone_in_database(uri):
                client = MlflowClient(tracking_uri=uri)
                yield client, _experiment(client, experiment, artifacts=artifacts)
            return
        database.parent.mkdir(parents=True, exist_ok=True)
        with _alone(database.parent):
            check_database(database)
            relocate(database)
            client = MlflowClient(tracking_uri=uri)
            yield client, _experiment(client, experiment, beside=_artifacts(database))


@contextmanager
def _errors_told(uri: str) -> Iterator[None]:
    """What goes wrong with a store, as one sentence."""
    import sqlalchemy
    from mlflow.exceptions import MlflowException

    try:
        yield
    except GradauditError:
        raise
    except ImportError as error:
        if not is_postgresql(uri):
            raise
        raise MissingExtraError(
            "A PostgreSQL store needs the package psycopg2, which is not installed. "
            "Run: pip install 'gradaudit[postgresql]'"
        ) from error
    except (MlflowException, sqlalchemy.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        text = str(error).replace(uri, public_uri(uri)).strip()
        first = (text.splitlines() or [type(error).__name__])[0]
        raise SettingError(
            f"The MLflow store {public_uri(uri)} cannot be used: {first[:500]} Set tracking.uri to "
            "the address of a tracking server or to sqlite:///PATH; empty for the default store. "
            "Everything else is kept: the next run makes up for the stage track."
        ) from error


def relocate(database: Path) -> bool:
    """Correct the absolute paths of artifacts in a SQLite store whose folder was moved.

    Returns
    -------
    bool
        Whether anything had to be corrected.
    """
    if not database.is_file():
        return False
    new = str(_artifacts(database))
    with closing(sqlite3.connect(database, timeout=20.0)) as connection, connection:
        known = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if not {"experiments", "experiment_tags", "runs"} <= known:
            return False
        moved = connection.execute(
            "SELECT experiment_id, artifact_location FROM experiments JOIN experiment_tags "
            "USING (experiment_id) WHERE key = ? AND artifact_location != ?",
            (_BESIDE, new),
        ).fetchall()
        for identity, old in moved:
            connection.execute(
                "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?",
                (new, identity),
            )
            connection.execute(
                "UPDATE runs SET artifact_uri = ? || substr(artifact_uri, ?) "
                "WHERE experiment_id = ? AND substr(artifact_uri, 1, ?) = ?",
                (new, len(old) + 1, identity, len(old), old),
            )
    return bool(moved)


def _experiment(
    client: MlflowClient, name: str, *, artifacts: str = "", beside: Path | None = None
) -> str:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        location = str(beside) if beside else artifacts or None
        identity = client.create_experiment(name, artifact_location=location)
        if beside:
            client.set_experiment_tag(identity, _BESIDE, "beside the database")
        experiment = client.get_experiment(identity)
    elif experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    for key, value in _TAGS.items():
        if experiment.tags.get(key) != value:
            client.set_experiment_tag(experiment.experiment_id, key, value)
    return str(experiment.experiment_id)


def _artifacts(database: Path) -> Path:
    return database.resolve().parent / "artifacts"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process writes to the store: two would log every run twice."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
