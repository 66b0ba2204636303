"""What a killed run leaves behind: Snakemake's lock, and files that were being written."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradaudit.pipeline import alive
from gradaudit.pipeline.expected import VARIABLE
from gradaudit.pipeline.flow import stages

_SNAKEMAKE = Path(".snakemake")
_LOCKS = _SNAKEMAKE / "locks"
_PARTIAL = re.compile(r"\..+\.([0-9]+)\.(nc|parquet|json|png|html)\Z")


def workflow_lock(folder: Path) -> Path:
    """What a Snakemake that runs in a folder holds, see `gradaudit.pipeline.alive`."""
    return folder / _SNAKEMAKE / "gradaudit.alive"


def results_lock(results: Path) -> Path:
    """What a Snakemake that writes to a folder of results holds."""
    return results / ".cache" / "workflow.alive"


def jobs_lock(results: Path) -> Path:
    """What each job that writes to a folder of results holds."""
    return results / ".cache" / "jobs.alive"


@contextmanager
def at_work() -> Iterator[None]:
    """Hold the lock of the jobs within, in a job of a workflow."""
    plan = os.environ.get(VARIABLE, "")
    if not plan:
        yield
        return
    with alive.held(jobs_lock(Path(plan).parents[1])):
        yield


def is_locked(folder: Path) -> bool:
    """Whether there is a lock of Snakemake's in a folder, of a live or of a dead one."""
    return (folder / _LOCKS).is_dir() and any((folder / _LOCKS).iterdir())


def unlock(folder: Path) -> bool:
    """Remove the locks of Snakemakes that are dead; whether the folder is free now."""
    if not is_locked(folder):
        return True
    with alive.alone(workflow_lock(folder)) as dead:
        if dead:
            shutil.rmtree(folder / _LOCKS)
        return dead


def remove_partial(results: Path) -> list[Path]:
    """Remove results of which a part was written by a process that is gone; those removed.

    Call it when nobody is alive at the results. A file of a process of the same number on this
    machine is left alone: a command that was typed may be writing it.
    """
    removed = [path for path in _partial(results) if not _is_process(_process_of(path))]
    for path in removed:
        path.unlink(missing_ok=True)
    return removed


def _partial(results: Path) -> Iterator[Path]:
    """Partial files, in the folders that stages write to alone."""
    folders = {made.path.split("/")[0] for stage in stages().values() for made in
               stage.outputs.values()}  # fmt: skip
    for folder in sorted(folders):
        for path in sorted((results / folder).rglob(".*")):
            if path.is_file() and _PARTIAL.match(path.name):
                yield path


def _process_of(path: Path) -> int:
    match = _PARTIAL.match(path.name)
    assert match is not None
    return int(match[1])


def _is_process(number: int) -> bool:
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
