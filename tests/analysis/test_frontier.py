"""The cheapest setting is that of least work, whatever a clock says."""

from __future__ import annotations

import numpy as np
import pytest

from gradaudit.analysis.frontier import EVERY, cheapest_settings


def chosen(table, accuracy=1e-4):
    return cheapest_settings(table.assign(functional="f", steps=10.0), [accuracy]).iloc[0]


@pytest.fixture
def table(audits):
    """Two methods at seven tolerances; errors are far below the tolerances."""
    return audits({"work": 30.0}, {"method": "dual_norm", "work": 20.0}, factor=1e-3)


def test_no_time_changes_the_choice(table):
    first = chosen(table)
    assert first["method"] == "dual_norm"
    random = np.random.default_rng(0)
    for _ in range(5):
        again = chosen(table.assign(seconds=random.uniform(size=len(table))))
        assert again.drop("seconds").equals(first.drop("seconds"))


def test_of_equal_work_the_first_is_chosen_and_the_others_are_named(table):
    alike = chosen(table[table["rtol"] == 1e-3].assign(work=5.0))
    assert (alike["method"], alike["tied"]) == ("forward_ad", "tsit5 dual_norm")


def test_a_solver_that_counts_no_steps_comes_last(table):
    unknown = table.assign(work=table["work"].where(table["method"] != "dual_norm"))
    assert chosen(unknown)["method"] == "forward_ad"
    none = chosen(table.assign(work=np.nan))
    assert none["method"] == "forward_ad"
    assert none["tied"] == ""


def test_numbers_in_a_reason_have_short_exponents(table):
    reason = chosen(table.assign(error=1.234e-3 * (1.0 + table["rtol"])))["reason"]
    assert reason == "the best converging error is 1.2e-3, above 1e-4"


def test_of_all_functionals_the_worst_decides(audits):
    """Its error counts; that of a count, and of the solver's own trace, does not."""
    cheap = {"method": "forward_ad", "work": 10.0}
    dear = {"method": "dual_norm", "work": 20.0}
    hard = {"functional": "trace_sse_noisy", "kind": "trace_sse"}
    table = audits(
        {**cheap, "error": 1e-6},
        {**dear, "error": 1e-6},
        {**cheap, **hard, "error": 1e-3},
        {**dear, **hard, "error": 1e-5},
        {**cheap, "functional": "own", "kind": "solver_target", "error": 0.5},
        {**cheap, "functional": "number", "kind": "event_count", "error": 1.0,
         "reason": "no_derivative"},
    )  # fmt: skip
    found = cheapest_settings(table.assign(steps=10.0), [1e-2, 1e-4, 1e-8])
    every = found[found["functional"] == EVERY].set_index("accuracy")
    assert every["method"].tolist() == ["forward_ad", "dual_norm", ""]
    assert every.loc[1e-4, "error"] == 1e-5
    assert "best converging error is 1e-5" in every.loc[1e-8, "reason"]
    alone = table[table["functional"] == table["functional"].iloc[0]]
    assert EVERY not in set(cheapest_settings(alone.assign(steps=10.0), [1e-2])["functional"])
