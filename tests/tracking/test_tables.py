"""Tables as artifacts of a run."""

import pandas as pd
import pytest

from gradaudit.tracking.tables import (
    csv_artifact,
    file_artifact,
    markdown_table,
    meaningful,
    sentence_of_counts,
    verdict_counts,
    worst,
)

VERDICTS = pd.Series(["good", "horrible", "good", "bad", "unknown"])


def test_a_file_keeps_its_name_and_its_bytes(tmp_path):
    path = tmp_path / "laws.png"
    path.write_bytes(b"\x89PNG")
    artifact = file_artifact(path, "figures")
    assert (artifact.path, artifact.content) == ("figures/laws.png", b"\x89PNG")


def test_csv_has_no_columns_of_lists():
    frame = pd.DataFrame({"a": [1.5, 2.0], "text": ["x", "y,z"], "gradient": [[1.0], [2.0]]})
    assert csv_artifact(frame, "t.csv").content == b'a,text\n1.5,x\n2.0,"y,z"\n'


def test_csv_of_an_empty_table_is_its_head():
    assert csv_artifact(pd.DataFrame(columns=["a", "b"]), "t.csv").content == b"a,b\n"


def test_csv_has_its_index_where_it_is_asked_for():
    frame = pd.DataFrame({"a": [1]}, index=pd.Index(["row"], name="name"))
    assert csv_artifact(frame, "t.csv", index=True).content == b"name,a\nrow,1\n"


def test_verdicts_are_counted_from_best_to_worst():
    assert list(verdict_counts(VERDICTS).items()) == [("good", 2), ("bad", 1), ("horrible", 1)]


def test_counts_in_words():
    assert sentence_of_counts({"good": 2, "bad": 1}) == (
        "Of 3 tolerance series (solver, method, functional) 2 good, 1 bad"
    )
    assert sentence_of_counts({"good": 2, "bad": 1}, 4).endswith(
        "2 good, 1 bad; 4 more, with data of the same solve, show nothing"
    )


def test_series_with_data_of_the_same_solve_are_not_counted():
    ladders = pd.DataFrame({"kind": ["terminal", "solver_target"], "verdict": ["bad", "good"]})
    assert list(meaningful(ladders)["verdict"]) == ["bad"]


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [(["good", "bad"], "bad"), (["horrible", "good"], "horrible"), (["good"], "good"), ([], "")],
)
def test_the_worst_verdict(verdicts, word):
    assert worst(pd.Series(verdicts, dtype=object)) == word


def test_markdown_has_short_numbers_and_dashes_for_none():
    frame = pd.DataFrame({"name": ["a|b"], "x": [1.23456e-7], "none": [float("nan")], "n": [3]})
    assert markdown_table(frame).splitlines() == [
        "| name | x | none | n |",
        "| --- | --- | --- | --- |",
        "| a\\|b | 1.23e-07 | – | 3 |",
    ]
