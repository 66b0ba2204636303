"""What the files of a problem must have before the library petab reads them, told in plain words.

That library raises errors of parsers and of schemas, which name neither the file nor what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gradaudit.errors import ProblemError

COLUMNS_1: Mapping[str, tuple[str, ...]] = {
    "parameter": ("parameterId", "parameterScale", "nominalValue", "estimate"),
    "observable": ("observableId", "observableFormula", "noiseFormula"),
    "measurement": ("observableId", "simulationConditionId", "measurement", "time"),
    "condition": ("conditionId",),
}
COLUMNS_2: Mapping[str, tuple[str, ...]] = {
    "parameter": ("parameterId", "nominalValue"),
    "observable": ("observableId", "observableFormula", "noiseFormula"),
    "measurement": ("observableId", "time", "measurement"),
    "condition": ("conditionId", "targetId", "targetValue"),
    "experiment": ("experimentId", "time", "conditionId"),
    "mapping": ("petabEntityId",),
}
TABLES = {
    "Parameter": "parameter",
    "Observable": "observable",
    "Measurement": "measurement",
    "Change": "condition",
    "Condition": "condition",
    "Experiment": "experiment",
    "ExperimentPeriod": "experiment",
    "Mapping": "mapping",
}
"""The tables of which the library petab has classes."""


def names_of_files(path: Path, listed: Any, key: str) -> list[str]:
    """The names that a YAML file lists at a key, which may be one name alone.

    Raises
    ------
    ProblemError
        If it is neither a name nor a list of names, or has one twice.
    """
    found = [listed] if isinstance(listed, str) else [] if listed is None else listed
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise ProblemError(f"{path}: {key} is {listed!r}; it must be a list of names of files.")
    twice = [name for name in found if found.count(name) > 1]
    if twice:
        raise ProblemError(f"{path}: {key} lists {twice[0]!r} twice; its rows would count twice.")
    return found


def check_header(file: Path, columns: Sequence[str]) -> None:
    """Refuse a table that is no text, is empty, or lacks one of its columns.

    Raises
    ------
    ProblemError
        With the file and the first column that is missing.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProblemError(f"{file.name}: it is no text in UTF-8; save it as such.") from error
    if not text.strip():
        raise ProblemError(f"{file.name}: the file is empty; it needs a line of column names.")
    names = text.splitlines()[0].split("\t")
    absent = [name for name in columns if name not in (own.strip() for own in names)]
    if absent:
        tabs = "" if len(names) > 1 else " Columns are separated by tabs, and it has none."
        raise ProblemError(f"{file.name}: the column {absent[0]!r} is missing.{tabs}")


def said(error: Exception, content: Mapping[str, Any]) -> str:
    """What an error of the library petab says, in one line that begins with the table.

    `content` is that of the YAML file.
    """
    from pydantic import ValidationError

    if isinstance(error, ZeroDivisionError):
        return "a formula in a table divides by 0"
    if not isinstance(error, ValidationError):
        return " ".join(str(getattr(error, "message", error)).split())
    first = error.errors()[0]
    table = TABLES.get(error.title, "")
    files = ", ".join(map(str, content.get(f"{table}_files") or [])) or error.title
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    row = first["input"] if isinstance(first["input"], dict) else {}
    name = next((f", {own!r}" for key, own in row.items() if str(key).endswith("Id")), "")
    place = f", {first['loc'][0]}" if first["loc"] else ""
    value = "" if row else f" (it is {first['input']!r})"
    return f"{files}{name}{place}: {message}{value}"
