"""Whether a file is the result that was asked for: its stage, model, solver and settings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from gradaudit.errors import DamagedResultError
from gradaudit.records.files import read_dataset, read_json, read_provenance, read_table

AGAIN = "Remove it and run `make run`, which makes it again."


@dataclass(frozen=True)
class Origin:
    """What a result has to be from; None where nothing is known of it.

    Attributes
    ----------
    stage, model, solver
        The stage, and the keys of model and solver; empty for a result of all of them.
    settings
        `digest` of its settings.
    """

    stage: str
    model: str | None = None
    solver: str | None = None
    settings: str | None = None

    def plain(self) -> dict[str, str | None]:
        """As keyword arguments."""
        return asdict(self)


def digest(settings: str) -> str:
    """A short text for settings, which are canonical JSON."""
    return hashlib.sha256(settings.encode()).hexdigest()[:16]


def check_origin(path: Path, origin: Origin) -> dict[str, str]:
    """Check a result before it is read; its provenance.

    Raises
    ------
    DamagedResultError
        If the file is damaged, or is another result, with what it is instead.
    MissingResultError
        If there is no such file.
    """
    found = read_provenance(path)
    wrong = _difference(found, origin)
    if wrong:
        raise DamagedResultError(f"{path} is not the result that belongs there: {wrong}. {AGAIN}")
    return found


def check_whole(path: Path) -> None:
    """Read a result from beginning to end.

    Raises
    ------
    DamagedResultError
        If a part of it is missing or damaged.
    """
    match path.suffix:
        case ".nc":
            read_dataset(path)
        case ".parquet":
            read_table(path)
        case ".json":
            read_json(path)
        case _:
            read_provenance(path)


def _difference(found: Mapping[str, str], origin: Origin) -> str:
    """What is wrong with a provenance; empty where nothing is."""
    if "stage" not in found:
        return "it does not say which stage made it"
    if found["stage"] != origin.stage:
        return f"stage {found['stage']} made it, not {origin.stage}"
    for what, key in (("model", origin.model), ("solver", origin.solver)):
        if key is not None and found.get(what, "") != key:
            other = found.get(what, "") or f"no {what}"
            return (
                f"it is of the {what} {other!r}, not of {key!r}" if key else f"it is of {other!r}"
            )
    if origin.settings is not None and digest(found.get("settings", "")) != origin.settings:
        return f"stage {origin.stage} made it with other settings than those of this study"
    return ""
