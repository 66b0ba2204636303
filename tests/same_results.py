"""Whether two folders hold the same results, apart from measured times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradaudit.records.files import read_dataset, read_table
from gradaudit.records.timing import is_time, without_times

TABLES, ARRAYS = "*.parquet", "*.nc"


def relative(folder: Path, pattern: str) -> list[Path]:
    """Results; the store of MLflow has copies of them, in folders of random names."""
    found = (path.relative_to(folder) for path in folder.rglob(pattern))
    return sorted(path for path in found if path.parts[0] != "mlflow")


def check_same_files(first: Path, second: Path, pattern: str) -> None:
    names = relative(first, pattern)
    assert names == relative(second, pattern)
    assert names


def check_same_tables(first: Path, second: Path) -> None:
    for name in relative(first, TABLES):
        one, other = (read_table(folder / name) for folder in (first, second))
        assert list(one.columns) == list(other.columns), name
        for column in one:
            if not is_time(str(column)):
                same = one[column].map(str).equals(other[column].map(str))
                assert same, f"{name}: {column}"


def check_same_arrays(first: Path, second: Path) -> None:
    for name in relative(first, ARRAYS):
        one, other = (read_dataset(folder / name) for folder in (first, second))
        times = [str(variable) for variable in one.variables if is_time(str(variable))]
        one, other = one.drop_vars(times), other.drop_vars(times)
        assert one.equals(other), name
        assert _attributes(one.attrs) == _attributes(other.attrs), name


def check_same_scores(first: Path, second: Path) -> None:
    one, other = (folder / "trust" / "scores.json" for folder in (first, second))
    assert one.read_text() == other.read_text()


def _attributes(value: Mapping[str, Any]) -> Any:
    """Attributes of a dataset, those in JSON read."""
    read = {k: json.loads(v) if k.endswith("_json") else v for k, v in value.items()}
    return without_times({k: v for k, v in read.items() if "checksum" not in k})
