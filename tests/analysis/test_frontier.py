"""The cheapest setting is that of least work, whatever a clock says."""

from __future__ import annotations

import numpy as np
import pytest

from gradaudit.analysis.frontier import cheapest_settings


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
