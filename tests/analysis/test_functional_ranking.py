"""Functionals are ranked inside a solve, and counted by verdict."""

import numpy as np
import pandas as pd
import pytest

from gradaudit.analysis.functional_ranking import ranking
from gradaudit.analysis.regimes import COLUMNS, ordered, regimes
from gradaudit.report import ranking_sentences

KINDS = {"terminal": 1.0, "trace_sse": 100.0, "time_average": 0.01}


@pytest.fixture
def table(audits):
    def make(sizes=KINDS, mechanism="phase drift on a limit cycle", models=("a", "b")):
        return audits(
            *(
                {
                    "model": model,
                    "mechanism": mechanism,
                    "functional": f"{kind}_x",
                    "kind": kind,
                    "error": lambda rtol, state, error, size=size: 10.0 * size * rtol,
                }
                for model in models
                for kind, size in sizes.items()
            )
        )

    return make


def row(found, kind, scope="all"):
    rows = found[(found["kind"] == kind) & (found["scope"] == scope)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_places_follow_the_errors(table):
    found = ranking(table())
    assert row(found, "time_average")["position"] == 0.0
    assert row(found, "terminal")["position"] == 0.5
    assert row(found, "trace_sse")["position"] == 1.0
    assert row(found, "trace_sse", "phase drift")["gain_over_terminal"] == pytest.approx(0.01)
    assert row(found, "time_average")["gain_over_terminal"] == pytest.approx(100.0)


@pytest.mark.slow
def test_errors_that_are_equal_but_for_rounding_share_their_mean_place(table):
    sizes = {"terminal": 1.0, "trace_sse": 100.0, "log_likelihood": 100.0 * (1.0 + 1e-12)}
    found = ranking(table(sizes))
    assert row(found, "terminal")["position"] == 0.0
    assert row(found, "trace_sse")["position"] == row(found, "log_likelihood")["position"] == 0.75
    apart = ranking(table(sizes | {"log_likelihood": 100.1}))
    assert row(apart, "log_likelihood")["position"] == 1.0


def test_a_tie_with_the_last_one_is_named_with_it(table):
    sizes = {"terminal": 1.0, "trace_sse": 100.0, "log_likelihood": 100.0}
    text = " ".join(ranking_sentences.answer(ranking(table(sizes))))
    least = text.partition("The largest: ")[2].partition("The number")[0]
    assert "sum of squares" in least
    assert "log-likelihood" in least
    alike = ranking_sentences.answer(ranking(table(dict.fromkeys(sizes, 1.0))))
    assert "No functional is more accurate than another one of the same solve." in alike


def test_the_best_method_counts_ladder_by_ladder(table):
    better = table().assign(method="forward_sensitivity", ladder_verdict="good")
    worse = table().assign(ladder_verdict="horrible")
    found = row(ranking(pd.concat([worse, better], ignore_index=True)), "terminal")
    assert found["horrible"] == 1.0
    assert found["best_good"] == 1.0


def test_a_zero_gradient_has_no_place(table):
    given = table()
    given.loc[given["kind"] == "trace_sse", "reference_norm"] = 0.0
    assert np.isnan(row(ranking(given), "trace_sse")["position"])


@pytest.mark.slow
def test_sentences_change_with_the_data(table):
    text = " ".join(ranking_sentences.answer(ranking(table())))
    assert "The smallest median ranks: time average 0.00" in text
    assert "larger for sum of squares, noisy target (100 times)" in text
    swapped = {"terminal": 1.0, "trace_sse": 0.01, "time_average": 100.0}
    other = " ".join(ranking_sentences.answer(ranking(table(swapped))))
    assert "The smallest median ranks: sum of squares, noisy target 0.00" in other
    assert "larger for time average (100 times)" in other
    still = " ".join(ranking_sentences.answer(ranking(table(mechanism="smooth"))))
    assert "No model of this configuration is an oscillation whose phase drifts." in still


def test_a_functional_without_a_derivative_is_named(table):
    given = table()
    counts = given["kind"] == "trace_sse"
    given.loc[counts, ["kind", "ladder_verdict", "piecewise_constant"]] = [
        "event_count", "horrible", True,
    ]  # fmt: skip
    text = " ".join(ranking_sentences.answer(ranking(given)))
    assert "No method gives a useful gradient of the number of events." in text


def test_nothing_gives_a_sentence(table):
    empty = ranking(table().iloc[:0])
    assert ranking_sentences.answer(empty) == ["No functional can be ranked: nothing was audited."]


def test_regimes_count_ladders_and_leave_zero_gradients_out(table):
    given = table()
    given.loc[given["kind"] == "trace_sse", "reference_norm"] = 0.0
    found = regimes(given.assign(ladder_verdict="bad"))
    assert list(found.columns) == COLUMNS
    assert found["ladders"].tolist() == [4]
    assert found["verdict"].tolist() == ["bad"]
    assert found["models"].tolist() == [2]
    nothing = given.assign(reference_norm=0.0)
    assert regimes(nothing)["ladders"].tolist() == [6]
    assert regimes(given.iloc[:0]).empty
    assert ordered(found) == ["phase drift on a limit cycle"]
    assert ordered(found.iloc[:0]) == []
