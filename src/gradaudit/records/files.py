"""Reading and writing results: atomic, with their provenance, equal results as equal files.

A file appears under its name when it is complete, so that a stopped run leaves no half of one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradaudit.errors import MissingResultError
from gradaudit.records.provenance import FIELDS, provenance

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Settings = Mapping[str, Any]
_KEY = b"gradaudit"


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, of its suffix, that takes its place if nothing is raised."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_dataset(dataset: xr.Dataset, path: Path, *, stage: str, settings: Settings) -> None:
    """Write a dataset as netCDF; the provenance joins its attributes."""
    labelled = dataset.assign_attrs(provenance(stage, settings))
    with atomic(path) as temporary:
        labelled.to_netcdf(temporary, engine="h5netcdf")


def read_dataset(path: Path) -> xr.Dataset:
    """Read a whole dataset into memory; the file is closed again.

    Raises
    ------
    MissingResultError
        If there is no such file.
    """
    import xarray as xr

    with xr.open_dataset(_existing(path), engine="h5netcdf") as dataset:
        return dataset.load()


def write_table(frame: pd.DataFrame, path: Path, *, stage: str, settings: Settings) -> None:
    """Write a table as Parquet, without its index; the provenance is in the schema's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    stamp = json.dumps(provenance(stage, settings)).encode()
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: stamp})
    with atomic(path) as temporary:
        pq.write_table(table, temporary)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table; columns of lists come back as arrays.

    Raises
    ------
    MissingResultError
        If there is no such file.
    """
    import pandas as pd

    return pd.read_parquet(_existing(path))


def write_json(data: Mapping[str, Any], path: Path, *, stage: str, settings: Settings) -> None:
    """Write a JSON object with the further key "provenance"; refuses NaN and infinity."""
    document = {**data, "provenance": provenance(stage, settings)}
    write_text(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote, the provenance included.

    Raises
    ------
    MissingResultError
        If there is no such file.
    """
    return json.loads(_existing(path).read_text(encoding="utf-8"))


def write_text(text: str, path: Path) -> None:
    """Write a text in UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_provenance(path: Path) -> dict[str, str]:
    """The provenance of a netCDF, Parquet, JSON or PNG file; empty where it carries none.

    Raises
    ------
    MissingResultError
        If there is no such file.
    """
    path = _existing(path)
    match path.suffix:
        case ".nc":
            attributes = read_dataset(path).attrs
            fields = {key: attributes[key] for key in FIELDS if key in attributes}
        case ".parquet":
            import pyarrow.parquet as pq

            fields = json.loads((pq.read_schema(path).metadata or {}).get(_KEY, b"{}"))
        case ".json":
            fields = read_json(path).get("provenance", {})
        case ".png":
            from PIL import Image

            with Image.open(path) as image:
                fields = json.loads(image.info.get("gradaudit", "{}"))
        case _:
            fields = {}
    return fields


def _existing(path: Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise MissingResultError(f"{path} does not exist: run the stage that writes it first.")
    return path
