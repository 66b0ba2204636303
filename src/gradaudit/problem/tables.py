"""The files of a PEtab problem, as the library petab reads them, and what is refused of them."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradaudit.errors import ProblemError, first_few
from gradaudit.problem.headers import COLUMNS_1, check_header, names_of_files


@dataclass(frozen=True)
class Tables:
    """A problem as it is written.

    Attributes
    ----------
    path, sbml
        The YAML file and the model.
    parameters, conditions, observables
        Rows by id, each a dict of its cells; empty cells are left out.
    measurements
        Rows in the order of the file.
    files
        Names of the files of each table, for errors.
    """

    path: Path
    sbml: Path
    parameters: dict[str, dict[str, Any]]
    conditions: dict[str, dict[str, Any]]
    observables: dict[str, dict[str, Any]]
    measurements: tuple[dict[str, Any], ...]
    files: dict[str, str]

    def where(self, table: str, row: int | str) -> str:
        """A place in a table for an error: a line of a file, or its entry with an id."""
        if isinstance(row, str):
            return f"{self.files[table]}, {row!r}"
        several = "," in self.files[table]
        return f"{self.files[table]}, " + (f"row {row + 1}" if several else f"line {row + 2}")


def opened(path: str | Path) -> tuple[Path, dict[str, Any], str]:
    """The YAML file of a problem, its content, and the number of the main version.

    Raises
    ------
    ProblemError
        If the file is missing or cannot be read, the version is another one than 1 and 2, or there
        are extensions.
    """
    import yaml

    path = Path(path).expanduser()
    if path.is_dir():
        raise ProblemError(f"{path} is a folder; name the YAML file of a PEtab problem in it.")
    if not path.is_file():
        raise ProblemError(f"the PEtab problem {path} does not exist (looked for in {Path.cwd()}).")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProblemError(f"{path}: no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or "format_version" not in content:
        raise ProblemError(f"{path}: format_version is missing; this is no PEtab problem.")
    version = str(content["format_version"])
    main = version.split(".")[0]
    if main not in ("1", "2"):
        raise ProblemError(
            f"{path}: format_version is {version}; versions 1 and 2 of PEtab are supported."
        )
    if content.get("extensions"):
        named = content["extensions"]
        named = list(named) if isinstance(named, list | dict) else [named]
        raise ProblemError(f"{path}: the extensions {named} are not supported.")
    return path, content, main


def read(path: Path, content: dict[str, Any]) -> Tables:
    """Read a problem of PEtab version 1.

    Raises
    ------
    ProblemError
        If a file is missing or cannot be read, or a column is missing.
    """
    problems = content.get("problems") or []
    if not isinstance(problems, list) or not all(isinstance(own, dict) for own in problems):
        raise ProblemError(
            f"{path}: problems is {problems!r}; it must be a list with an entry of sbml_files, "
            "condition_files, observable_files and measurement_files."
        )
    if len(problems) != 1:
        raise ProblemError(
            f"{path}: there are {len(problems)} problems; one is supported. Write a file for each."
        )
    return _read(path, content, problems[0])


def _read(path: Path, content: dict[str, Any], own: dict[str, Any]) -> Tables:
    from petab.v1 import (
        get_condition_df,
        get_measurement_df,
        get_observable_df,
        get_parameter_df,
    )

    models = _files(path, own.get("sbml_files"), "sbml_files")
    if len(models) != 1:
        raise ProblemError(f"{path}: sbml_files lists {len(models)} models; one is supported.")
    readers = {
        "parameter": (get_parameter_df, content.get("parameter_file")),
        "condition": (get_condition_df, own.get("condition_files")),
        "observable": (get_observable_df, own.get("observable_files")),
        "measurement": (get_measurement_df, own.get("measurement_files")),
    }
    found: dict[str, list[dict[str, Any]]] = {}
    names = {}
    for table, (reader, listed) in readers.items():
        files = _files(path, listed, f"{table} files")
        names[table] = ", ".join(file.name for file in files)
        found[table] = [row for file in files for row in _rows(reader, file, table)]
    return Tables(
        path,
        models[0],
        _by_id(found["parameter"], names, "parameter"),
        _by_id(found["condition"], names, "condition"),
        _by_id(found["observable"], names, "observable"),
        tuple(found["measurement"]),
        names,
    )


def _files(path: Path, listed: Any, key: str) -> list[Path]:
    files = names_of_files(path, listed, key)
    if not files:
        raise ProblemError(f"{path}: {key} is missing or empty; name the files there.")
    found = [path.parent / name for name in files]
    missing = [str(file) for file in found if not file.is_file()]
    if missing:
        names = first_few(missing, quoted=False)
        raise ProblemError(f"{path}: {key}: {names} does not exist; correct the name.")
    return found


def _rows(reader: Any, file: Path, table: str) -> list[dict[str, Any]]:
    check_header(file, COLUMNS_1[table])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = reader(str(file))
    except (ValueError, KeyError, AssertionError, OSError) as error:
        why = " ".join(str(error).split())
        raise ProblemError(f"{file.name}: not readable as {table} table: {why}") from error
    frame = frame.rename(columns=lambda name: str(name).lstrip("\ufeff"))
    frame.index.name = str(frame.index.name).lstrip("\ufeff")
    if not len(frame):
        raise ProblemError(f"{file.name}: the {table} table is empty.")
    rows = []
    records = frame.to_dict("records") if len(frame.columns) else [{} for _ in frame.index]
    for index, row in zip(frame.index, records, strict=True):
        cells = {str(key): value for key, value in row.items() if not empty(value)}
        rows.append(cells if table == "measurement" else {"id": str(index), **cells})
    return rows


def _by_id(rows: list[dict[str, Any]], names: dict[str, str], table: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in rows:
        if row["id"] in found:
            raise ProblemError(f"{names[table]}: the id {row['id']!r} occurs twice.")
        found[row["id"]] = row
    return found


def empty(value: Any) -> bool:
    """Whether a cell is empty; "NaN" in a table of texts is, too."""
    if isinstance(value, str):
        return value.strip().lower() in ("", "nan")
    return value is None or (isinstance(value, float) and math.isnan(value))


def number(value: Any) -> float | None:
    """The number in a cell, None where it is a name or a formula."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
