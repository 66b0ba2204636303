"""Results that are damaged, or are not those that belong where they are, removed before a run.

Snakemake looks at time stamps, so a file that is there is taken for the result. Each file is read
once after it has changed: what was found whole is kept with what it says of its origin, and with
size, time and change of its file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gradaudit.errors import DamagedResultError, MissingResultError
from gradaudit.pipeline.snakemake_records import recorded_params
from gradaudit.records.files import read_provenance, write_text
from gradaudit.records.origin import (
    AGAIN,
    Origin,
    check_whole,
    differences,
    digest,
    facts_of,
    foreign,
)
from gradaudit.records.provenance import code_of


@dataclass(frozen=True)
class _Seen:
    """A file that was found whole: its stamp, and what it says of its origin."""

    stamp: list[int]
    facts: dict[str, str]


def remove_damaged(
    folder: Path, origins: Mapping[str, Origin], record: Path
) -> Iterator[tuple[Path, str]]:
    """Remove the files of a study that are not what belongs there; each with what is wrong.

    A file of other settings, or of another file of its model, is removed only where Snakemake would
    not make it again by itself. After a change of the configuration every file has other settings,
    and the change may be taken back before they are made again.

    Parameters
    ----------
    folder
        Where Snakemake runs, and where the paths of `origins` begin.
    origins
        What belongs in each file.
    record
        File of what was found whole, for the next time.
    """
    known, found = _known(record), {}
    for name, origin in origins.items():
        path = folder / name
        stamp = _stamp(path)
        if stamp is None:
            continue
        seen = known.get(name)
        try:
            if seen is None or seen.stamp != stamp:
                seen = _Seen(stamp, look(path))
            wrong = _wrong(folder, name, seen.facts, origin)
        except MissingResultError:
            continue
        except DamagedResultError as error:
            wrong = str(error).removesuffix(f" {AGAIN}")
        if wrong:
            path.unlink()
            yield path, wrong
        elif seen is not None:
            found[name] = seen
    if found != known:
        write_text(json.dumps({name: vars(seen) for name, seen in found.items()}), record)


def look(path: Path) -> dict[str, str]:
    """Read a file to its end; what it says of its origin.

    Raises
    ------
    MissingResultError, DamagedResultError
        If it cannot be read.
    """
    facts = facts_of(read_provenance(path))
    check_whole(path)
    return facts


def _wrong(folder: Path, name: str, facts: Mapping[str, str], origin: Origin) -> str:
    """What is wrong with a file that is whole, as a sentence; empty where nothing is."""
    another = differences(facts, Origin(origin.stage, origin.model, origin.solver))
    if another:
        return foreign(folder / name, *another.values())
    params = recorded_params(folder, name)
    if params is None:  # then nothing but the file says by which code it was made
        origin = replace(origin, code=code_of(origin.stage))
    changed = differences(facts, origin)
    if not changed or (params is not None and _is_noticed(changed, origin, params)):
        return ""
    return foreign(folder / name, *changed.values())


def _is_noticed(changed: Mapping[str, str], origin: Origin, params: frozenset[str]) -> bool:
    """Whether Snakemake knows that the job ran with other params than it would run with now."""
    kept = {"settings": {digest(param) for param in params}, "model_file": params}
    return any(getattr(origin, what) not in kept[what] for what in changed)


def _stamp(path: Path) -> list[int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _known(record: Path) -> dict[str, _Seen]:
    try:
        read = json.loads(record.read_text(encoding="utf-8"))
        return {name: _Seen(**fields) for name, fields in read.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
