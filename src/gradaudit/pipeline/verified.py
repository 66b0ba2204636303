"""Results that are damaged, or are not those that belong where they are, removed before a run.

Snakemake looks at time stamps, so a file that is there is taken for the result. Each file is read
once after it has changed: what was found whole is kept with size, time and change of its file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from gradaudit.pipeline.expected import damage
from gradaudit.records.files import write_text
from gradaudit.records.origin import Origin

Stamp = list[int]


def remove_damaged(
    folder: Path, origins: Mapping[str, Origin], record: Path
) -> Iterator[tuple[Path, str]]:
    """Remove the files of a study that are not what belongs there; each with what is wrong.

    Parameters
    ----------
    folder
        Where the paths of `origins` begin.
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
        key = json.dumps([name, origin.stage, origin.model, origin.solver])
        if known.get(key) != stamp:
            wrong = damage(path, origin)
            if wrong:
                path.unlink()
                yield path, wrong
                continue
        found[key] = stamp
    if found != known:
        write_text(json.dumps(found), record)


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _known(record: Path) -> dict[str, Stamp]:
    try:
        read = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
