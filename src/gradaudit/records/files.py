"""Reading and writing results: atomic, with their provenance, equal results as equal files.

A file appears under its name when it is complete, so that a stopped run leaves no half of one.
"""

from __future__ import annotations

import html
import importlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradaudit.errors import DamagedResultError, MissingResultError
from gradaudit.records.provenance import FIELDS, provenance

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Settings = Mapping[str, Any]
_KEY = b"gradaudit"
_PNG_END = b"IEND\xaeB`\x82"
_META = re.compile(r'<meta name="gradaudit" content="([^"]*)">')


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


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say of a file that cannot be read that it is damaged.

    The libraries raise whatever comes up where a file is cut off or is something else.
    """
    try:
        yield
    except (MissingResultError, DamagedResultError, MemoryError, ImportError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:  # of the system: the file may be whole
            raise MissingResultError(
                f"{path} cannot be read: {os.strerror(error.errno)}."
            ) from error
        text = " ".join(str(error).split()).replace(" (", ": ").replace(")", "")
        reason = text[:120] or type(error).__name__
        what = (
            "is empty" if path.stat().st_size == 0 else f"is damaged and cannot be read ({reason})"
        )
        raise DamagedResultError(
            f"{path} {what}. Remove it and run `make run`, which makes it again."
        ) from error


def write_dataset(
    dataset: xr.Dataset,
    path: Path,
    *,
    stage: str,
    settings: Settings,
    model: str = "",
    solver: str = "",
    model_file: str = "",
) -> None:
    """Write a dataset as netCDF; the provenance joins its attributes.

    Arrays have checksums, so that a byte that has changed is noticed when they are read.
    """
    stamp = provenance(stage, settings, model=model, solver=solver, model_file=model_file)
    labelled = dataset.assign_attrs(stamp)
    summed = {
        name: {"fletcher32": True}
        for name, values in labelled.variables.items()
        if values.size and values.ndim and values.dtype.kind in "biuf"
    }
    with atomic(path) as temporary:
        labelled.to_netcdf(temporary, engine="h5netcdf", encoding=summed)


def read_dataset(path: Path) -> xr.Dataset:
    """Read a whole dataset into memory; the file is closed again.

    Raises
    ------
    MissingResultError
        If there is no such file.
    """
    import xarray as xr

    importlib.import_module("h5netcdf")  # if it is missing, xarray calls it an unknown engine

    path = _existing(path)
    with _readable(path), xr.open_dataset(path, engine="h5netcdf") as dataset:
        return dataset.load()


def write_table(
    frame: pd.DataFrame,
    path: Path,
    *,
    stage: str,
    settings: Settings,
    model: str = "",
    model_file: str = "",
) -> None:
    """Write a table as Parquet, without its index; the provenance is in the schema's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(frame, preserve_index=False)
    record = provenance(stage, settings, model=model, model_file=model_file)
    stamp = json.dumps(record).encode()
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: stamp})
    with atomic(path) as temporary:
        pq.write_table(table, temporary, write_page_checksum=True)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table; columns of lists come back as arrays.

    Raises
    ------
    MissingResultError
        If there is no such file.
    """
    import pandas as pd

    path = _existing(path)
    with _readable(path):
        return pd.read_parquet(path, page_checksum_verification=True)


def write_json(
    data: Mapping[str, Any],
    path: Path,
    *,
    stage: str,
    settings: Settings,
    model: str = "",
    model_file: str = "",
    nan: bool = False,
) -> None:
    """Write a JSON object with the further key "provenance".

    NaN and infinity are no JSON: they are refused unless `nan` allows them.
    """
    record = provenance(stage, settings, model=model, model_file=model_file)
    document = {**data, "provenance": record}
    write_text(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=nan) + "\n", path)


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote, the provenance included.

    Raises
    ------
    MissingResultError
        If there is no such file.
    """
    path = _existing(path)
    with _readable(path):
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it holds no object")
    return found


def write_page(page: str, path: Path, *, stage: str, settings: Settings) -> None:
    """Write an HTML page; the provenance is in its head."""
    stamp = html.escape(json.dumps(provenance(stage, settings), ensure_ascii=False))
    write_text(
        page.replace("<head>", f'<head>\n<meta name="gradaudit" content="{stamp}">', 1), path
    )


def write_text(text: str, path: Path) -> None:
    """Write a text in UTF-8."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_provenance(path: Path) -> dict[str, str]:
    """The provenance of a netCDF, Parquet, JSON, PNG or HTML file; empty where it carries none.

    Raises
    ------
    MissingResultError
        If there is no such file.
    DamagedResultError
        If it cannot be read.
    """
    path = _existing(path)
    with _readable(path):
        return _provenance(path)


def _provenance(path: Path) -> dict[str, str]:
    match path.suffix:
        case ".nc":
            import xarray as xr

            with xr.open_dataset(path, engine="h5netcdf") as dataset:
                fields = {key: dataset.attrs[key] for key in FIELDS if key in dataset.attrs}
        case ".parquet":
            import pyarrow.parquet as pq

            fields = json.loads((pq.read_schema(path).metadata or {}).get(_KEY, b"{}"))
        case ".json":
            fields = read_json(path).get("provenance", {})
        case ".png":
            from PIL import Image

            with Image.open(path) as image:
                image.load()
                if not path.read_bytes().endswith(_PNG_END):
                    raise ValueError("its end is missing")
                fields = json.loads(image.info.get("gradaudit", "{}"))
        case ".html":
            text = path.read_text(encoding="utf-8")
            if not text.rstrip().endswith("</html>"):
                raise ValueError("its end is missing")
            stamp = _META.search(text)
            fields = json.loads(html.unescape(stamp[1])) if stamp else {}
        case _:
            fields = {}
    return fields


def _existing(path: Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise MissingResultError(f"{path} does not exist: run the stage that writes it first.")
    return path
