"""``python -m gradaudit.pipeline.start CONFIG``: before a run, in the folder of the run.

`make run` calls it. It checks the configuration, and removes what an earlier run has left that was
killed: Snakemake's lock, temporary folders, and files that were being written. Results that are
damaged, or lie where another belongs, are removed, so that the run makes them again. With
``--unlock`` it removes the lock alone, or says why it does not.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gradaudit.errors import GradauditError
from gradaudit.pipeline import alive, leftovers, temporary
from gradaudit.pipeline.config.files import read_source
from gradaudit.pipeline.config.reading import read
from gradaudit.pipeline.config.study import Study
from gradaudit.pipeline.expected import expected
from gradaudit.pipeline.verified import remove_damaged

PATIENCE = 60.0  # s; the jobs of a run that was killed end by themselves, most of them at once


def main(arguments: list[str] | None = None) -> int:
    """0 if a run can start; 2 for an invalid configuration, 1 for a folder that is in use."""
    parser = argparse.ArgumentParser(prog="python -m gradaudit.pipeline.start", description=__doc__)
    parser.add_argument("config", type=Path, nargs="*", help="configuration files")
    parser.add_argument("--unlock", action="store_true", help="remove Snakemake's lock alone")
    options = parser.parse_args(arguments)
    if options.unlock:
        return _unlock(Path())
    try:
        study = _study(options.config)
    except GradauditError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if prepare(study, Path()) else 1


def prepare(study: Study, folder: Path) -> bool:
    """Remove what a run that was killed has left; tells of each thing by a line.

    False if a job of that run is still at work, and would write over the results of the next one.
    """
    if leftovers.is_locked(folder) and leftovers.unlock(folder):
        _tell("The run that had locked this folder is dead: the lock was removed.")
    for path in temporary.remove_dead():
        _tell(f"{path} belonged to a process that is dead: it was removed.")
    results = folder / study.results
    with alive.alone(leftovers.results_lock(results)) as nobody:
        if nobody:
            if not _jobs_ended(results):
                return False
            for path in (results / ".cache").glob("study-*.json"):
                path.unlink(missing_ok=True)
            for path in leftovers.remove_partial(results):
                _tell(f"{path} was never finished: it was removed.")
            record = results / ".cache" / "verified.json"
            for _, wrong in remove_damaged(folder, expected(study), record):
                _tell(f"{wrong} It was removed, and is made again.")
    return True


def _jobs_ended(results: Path) -> bool:
    """Whether no job of a dead run is at work any more; waits for those that are."""
    lock = leftovers.jobs_lock(results)
    with alive.alone(lock) as ended:
        if ended:
            return True
    _tell(f"A job of a run that was killed still works in {results}: waiting for it to end.")
    with alive.alone(lock, seconds=PATIENCE) as ended:
        if not ended:
            _tell(
                "It has not ended. Wait for it or end it (a process `gradaudit`), and start again."
            )
        return ended


def _unlock(folder: Path) -> int:
    if not leftovers.is_locked(folder):
        _tell("This folder is not locked.")
        return 0
    if leftovers.unlock(folder):
        _tell("The lock was removed.")
        return 0
    _tell(
        "A run is alive in this folder, so the lock stays: wait for it, or end it. If there is none"
        " on any machine, run: .venv/bin/snakemake --unlock"
    )
    return 1


def _study(paths: list[Path]) -> Study:
    """The checked configuration. What Snakemake would say of a broken file has no line."""
    data: dict[str, object] = {}
    for path in paths:
        if not path.is_file():
            raise GradauditError(f"{path}: there is no such configuration file.")
        data |= read_source(path).data or {}
    return read(data, paths)


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
