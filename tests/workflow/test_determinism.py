"""Two clean runs give the same tables and arrays, on any number of cores, but for times."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gradaudit.records.files import read_dataset, read_table
from gradaudit.records.timing import is_time, without_times

pytestmark = pytest.mark.slow

TABLES, ARRAYS = "*.parquet", "*.nc"


@pytest.fixture(scope="module")
def results(workspace, first_run, tmp_path_factory):
    """The results of the run on two cores, and of another one, elsewhere, on one core."""
    assert first_run.code == 0, first_run.output
    other = replace(workspace, folder=tmp_path_factory.mktemp("other"))
    shutil.copytree(workspace.folder / "models", other.folder / "models")
    again = other.snakemake("--cores", "1", "--until", "trust", "simulate", "experiment")
    assert again.code == 0, again.output
    return workspace.folder / "results", other.folder / "results"


def relative(folder: Path, pattern: str) -> list[Path]:
    """Results; the store of MLflow has copies of them, in folders of random names."""
    found = (path.relative_to(folder) for path in folder.rglob(pattern))
    return sorted(path for path in found if path.parts[0] != "mlflow")


def attributes(value):
    """Attributes of a dataset, those in JSON read."""
    read = {k: json.loads(v) if k.endswith("_json") else v for k, v in value.items()}
    return without_times({k: v for k, v in read.items() if "checksum" not in k})


@pytest.mark.parametrize("pattern", [TABLES, ARRAYS])
def test_both_runs_write_the_same_files(results, pattern):
    first, second = (relative(folder, pattern) for folder in results)
    assert first == second
    assert len(first) > 5


def test_tables_are_equal_but_for_times(results):
    first, second = results
    for name in relative(first, TABLES):
        one, other = (read_table(folder / name) for folder in (first, second))
        assert list(one.columns) == list(other.columns), name
        for column in one:
            if not is_time(str(column)):
                same = one[column].map(str).equals(other[column].map(str))
                assert same, f"{name}: {column}"


def test_arrays_are_equal_but_for_times(results):
    first, second = results
    for name in relative(first, ARRAYS):
        one, other = (read_dataset(folder / name) for folder in (first, second))
        times = [str(variable) for variable in one.variables if is_time(str(variable))]
        one, other = one.drop_vars(times), other.drop_vars(times)
        assert one.equals(other), name
        assert attributes(one.attrs) == attributes(other.attrs), name


def test_the_fitted_scores_are_equal(results):
    first, second = (folder / "trust" / "scores.json" for folder in results)
    assert first.read_text() == second.read_text()
