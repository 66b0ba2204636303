"""Whether a file is the result that was asked for: its stage, model, solver, settings and so on."""

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
    model_file, code
        As in its provenance.
    """

    stage: str
    model: str | None = None
    solver: str | None = None
    settings: str | None = None
    model_file: str | None = None
    code: str | None = None

    def plain(self) -> dict[str, str | None]:
        """As keyword arguments."""
        return asdict(self)


def digest(settings: str) -> str:
    """A short text for settings, which are canonical JSON."""
    return hashlib.sha256(settings.encode()).hexdigest()[:16]


def facts_of(provenance: Mapping[str, str]) -> dict[str, str]:
    """What an origin is compared with, of a provenance; empty without one."""
    if "stage" not in provenance:
        return {}
    facts = {name: provenance.get(name, "") for name in ("stage", "model", "solver", "model_file")}
    return {
        **facts,
        "settings": digest(provenance.get("settings", "")),
        "code": provenance.get("code", ""),
    }


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
    wrong = differences(facts_of(found), origin)
    if wrong:
        raise DamagedResultError(f"{foreign(path, *wrong.values())} {AGAIN}")
    return found


def foreign(path: Path, wrong: str, *_: str) -> str:
    """The sentence that a file is another result."""
    return f"{path} is not the result that belongs there: {wrong}."


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


def differences(facts: Mapping[str, str], origin: Origin) -> dict[str, str]:
    """In what a result differs from an origin: a clause by the name of the attribute."""
    if not facts:
        return {"stage": "it does not say which stage made it"}
    found = {}
    for what, wanted in origin.plain().items():
        if wanted is not None and facts.get(what, "") != wanted:
            found[what] = _clause(what, facts.get(what, ""), wanted, origin)
    return found


def _clause(what: str, found: str, wanted: str, origin: Origin) -> str:
    match what:
        case "stage":
            return f"stage {found} made it, not {wanted}"
        case "settings":
            return f"stage {origin.stage} made it with other settings than those of this study"
        case "model_file":
            return f"the file of the model {origin.model!r} was another one when it was made"
        case "code":
            return f"another version of gradaudit made it than the code that is here ({found})"
    if wanted:
        return f"it is of the {what} {found or f'no {what}'!r}, not of {wanted!r}"
    return f"it is of {found!r}"
