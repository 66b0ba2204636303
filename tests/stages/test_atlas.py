"""The tables of all models together."""

import pandas as pd
import pytest

from gradaudit.analysis.frontier import cheapest_settings
from gradaudit.analysis.verdicts import ladders
from gradaudit.records.files import read_provenance, read_table, write_table
from gradaudit.stages.atlas import run


@pytest.fixture
def written(tmp_path, made_up_audits):
    """The tables of two models, and their rows one below the other."""
    tables = [made_up_audits(models=(name,)) for name in ("one", "other")]
    paths = [tmp_path / f"{k}.parquet" for k in range(2)]
    for table, path in zip(tables, paths, strict=True):
        write_table(table, path, stage="evaluate", settings={})
    return paths, pd.concat(tables, ignore_index=True)


def test_all_rows_and_the_tables_that_are_asked_for_are_written(written, tmp_path):
    paths, rows = written
    files = {name: tmp_path / f"{name}.parquet" for name in ("audits", "verdicts", "frontier")}
    run(tables=paths, settings={"accuracies": [1e-2]}, **files)
    pd.testing.assert_frame_equal(read_table(files["audits"]), rows)
    pd.testing.assert_frame_equal(read_table(files["verdicts"]), ladders(rows))
    pd.testing.assert_frame_equal(read_table(files["frontier"]), cheapest_settings(rows, [1e-2]))
    assert read_provenance(files["frontier"])["stage"] == "atlas"


def test_a_table_that_nobody_declares_cannot_be_made(written, tmp_path):
    with pytest.raises(KeyError, match="nothing"):
        run(tables=written[0], settings={}, audits=tmp_path / "a.parquet", nothing=tmp_path / "b")
