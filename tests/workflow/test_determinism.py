"""Two clean runs give the same tables and arrays, on any number of cores, but for times."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from same_results import (
    ARRAYS,
    TABLES,
    check_same_arrays,
    check_same_files,
    check_same_scores,
    check_same_tables,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(workspace, first_run, tmp_path_factory):
    """The results of the run on two cores, and of another one, elsewhere, on one core."""
    assert first_run.code == 0, first_run.output
    other = replace(workspace, folder=tmp_path_factory.mktemp("other"))
    shutil.copytree(workspace.folder / "models", other.folder / "models")
    again = other.snakemake("--cores", "1", "--until", "trust", "simulate", "experiment")
    assert again.code == 0, again.output
    return workspace.folder / "results", other.folder / "results"


@pytest.mark.parametrize("pattern", [TABLES, ARRAYS])
def test_both_runs_write_the_same_files(results, pattern):
    check_same_files(*results, pattern)


def test_tables_are_equal_but_for_times(results):
    check_same_tables(*results)


def test_arrays_are_equal_but_for_times(results):
    check_same_arrays(*results)


def test_the_fitted_scores_are_equal(results):
    check_same_scores(*results)
