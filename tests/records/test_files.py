"""Results on disk: whole or not at all, equal if their contents are, and with their provenance."""

from __future__ import annotations

import errno
import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from gradaudit.errors import DamagedResultError, MissingResultError
from gradaudit.records import files
from gradaudit.records.provenance import FIELDS, canonical_json, figure_metadata, provenance

SETTINGS = {"tolerances": [1e-3, 1e-6], "observe": "step"}


def write_nc(path):
    data = {
        "x": (("rtol", "name"), np.array([[1.0, np.nan], [3.0, 4.0]])),
        "status": ("rtol", ["ok", "max_steps"]),
    }
    dataset = xr.Dataset(data, coords={"rtol": [1e-3, 1e-6], "name": ["a", "µ"]})
    files.write_dataset(
        dataset.assign_attrs(digits=12.5), path, stage="evaluate", settings=SETTINGS
    )
    return dataset


def write_parquet(path):
    frame = pd.DataFrame({"model": ["a", "b"], "error": [0.1, np.nan], "gradient": [[1.0], [2.0]]})
    files.write_table(frame, path, stage="evaluate", settings=SETTINGS)
    return frame


def write_json(path):
    files.write_json({"runs": {"a": 1}}, path, stage="evaluate", settings=SETTINGS)


def write_png(path):
    from matplotlib.figure import Figure

    with files.atomic(path) as temporary:
        Figure().savefig(temporary, metadata=figure_metadata("evaluate", SETTINGS))


WRITERS = {"nc": write_nc, "parquet": write_parquet, "json": write_json, "png": write_png}


@pytest.mark.parametrize("suffix", WRITERS)
def test_provenance_comes_back(tmp_path, suffix):
    path = tmp_path / "deep" / f"file.{suffix}"
    WRITERS[suffix](path)
    found = files.read_provenance(path)
    assert found == provenance("evaluate", SETTINGS)
    assert set(found) == set(FIELDS)
    assert json.loads(found["settings"]) == SETTINGS


@pytest.mark.parametrize("suffix", WRITERS)
def test_equal_results_are_equal_files(tmp_path, suffix):
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    WRITERS[suffix](first)
    WRITERS[suffix](second)
    assert first.read_bytes() == second.read_bytes()


def test_a_dataset_comes_back_and_its_file_is_free(tmp_path):
    written = write_nc(tmp_path / "file.nc")
    read = files.read_dataset(tmp_path / "file.nc")
    xr.testing.assert_equal(read, written)
    assert read.attrs["digits"] == 12.5
    assert list(read["status"].values) == ["ok", "max_steps"]
    write_nc(tmp_path / "file.nc")


def test_a_table_comes_back(tmp_path):
    written = write_parquet(tmp_path / "file.parquet")
    read = files.read_table(tmp_path / "file.parquet")
    pd.testing.assert_frame_equal(read.drop(columns="gradient"), written.drop(columns="gradient"))
    assert [list(gradient) for gradient in read["gradient"]] == [[1.0], [2.0]]


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "file.txt"
    files.write_text("old", path)

    def fail():
        with files.atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "file.png"
    with files.atomic(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
        assert temporary.suffix == path.suffix
        assert temporary.parent == path.parent
    assert path.read_text() == "whole"


@pytest.mark.parametrize(
    "read", [files.read_dataset, files.read_table, files.read_json, files.read_provenance]
)
def test_a_missing_result_names_the_file(tmp_path, read):
    with pytest.raises(MissingResultError, match="missing"):
        read(tmp_path / "missing")


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_damaged_result_is_named_with_what_to_do(tmp_path, suffix):
    path = tmp_path / f"file.{suffix}"
    WRITERS[suffix](path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DamagedResultError) as error:
        files.read_provenance(path)
    assert str(error.value).startswith(f"{path} is damaged and cannot be read (")
    assert str(error.value).endswith("). Remove it and run `make run`, which makes it again.")


def test_a_file_that_the_system_does_not_give_is_not_called_damaged(tmp_path, monkeypatch):
    """Nor is it removed, therefore: it may be whole."""
    path = tmp_path / "file.json"
    write_json(path)

    def refuse(*arguments, **keywords):
        raise OSError(errno.EMFILE, "too many")

    monkeypatch.setattr(type(path), "read_text", refuse)
    with pytest.raises(MissingResultError, match="cannot be read: Too many open files"):
        files.read_json(path)


def test_json_refuses_what_is_not_a_number(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json({"x": float("nan")}, tmp_path / "x.json", stage="track", settings={})
    assert list(tmp_path.iterdir()) == []


def test_canonical_json_does_not_depend_on_order():
    assert canonical_json({"b": 1e-6, "a": [1, 2]}) == canonical_json({"a": [1, 2], "b": 1e-6})
    assert canonical_json({"a": [1, 2]}) != canonical_json({"a": [2, 1]})
