"""The error of a gradient, its origin, and the verdicts of a tolerance series."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from gradaudit.evaluation.verdict import Thresholds
from gradaudit.pipeline.config import Study
from gradaudit.problem.audit_table import audit_table
from gradaudit.problem.comparison import compare
from gradaudit.problem.gradient import Gradient
from gradaudit.records.results import Digits

THRESHOLDS = Thresholds.from_settings(Study().verdict.model_dump())
NAMES = ("a", "b", "c")
EXACT = {("c", "o"): [2.0, 0.0, 0.0], ("c", "u"): [1.0, -4.0, 0.0], ("d", "o"): [0.0, 0.0, 1e-20]}


def certified(bounds=1e-12, parts=EXACT):
    gradient = np.sum(list(parts.values()), axis=0)
    return SimpleNamespace(
        gradient=gradient,
        bounds=np.full(3, bounds),
        sizes=np.abs(gradient) + 1.0,
        digits=Digits(np.array([12.0, 12.0, np.nan])),
        by_observable={pair: (0.0, np.array(own)) for pair, own in parts.items()},
    )


def computed(change, rtol=1e-6, status="ok"):
    """The exact gradient with changes by condition and observable."""
    parts = {pair: np.array(own) + change.get(pair, 0.0) for pair, own in EXACT.items()}
    whole = np.sum(list(parts.values()), axis=0)
    return Gradient(
        value=0.0,
        gradient=whole if status == "ok" else np.full(3, np.nan),
        status=status,
        statuses={"c": status, "d": "ok"},
        parameters=NAMES,
        scale=("lin",) * 3,
        point=np.zeros(3),
        by_condition={},
        by_observable={pair: (0.0, own) for pair, own in parts.items()},
        indicator=math.nan,
        estimate=None,
        stats={"steps": 10 / rtol**0.2, "accepted": 9.0, "rejected": 1.0, "seconds": 1e-3,
               "compile_seconds": 1.0, "solves": 2.0},
        setting={"solver": "tsit5", "method": "forward_ad", "rtol": rtol},
    )  # fmt: skip


def test_error_worst_entry_and_shares():
    found = compare(
        computed({("c", "o"): np.array([0.3, 0, 0]), ("d", "o"): np.array([0.1, 0, 0])}),
        certified(),
    )
    assert found.error == pytest.approx(0.4 / 5.0)
    assert found.parameter == "a"
    assert found.parameter_error == pytest.approx(0.4 / 3.0)
    assert found.conditions == pytest.approx({"c": 0.75, "d": 0.25})
    assert list(found.conditions) == ["c", "d"]
    assert found.observables == pytest.approx({"o": 1.0, "u": 0.0})


def test_parts_that_cancel_have_shares_that_add_up_to_one():
    found = compare(
        computed({("c", "o"): np.array([0.3, 0, 0]), ("d", "o"): np.array([-0.1, 0, 0])}),
        certified(),
    )
    assert found.conditions == pytest.approx({"c": 1.5, "d": -0.5})


def test_an_entry_that_vanishes_is_never_the_worst():
    found = compare(computed({("d", "o"): np.array([0, 1e-6, 1.0])}), certified())
    assert found.parameter == "b"


def test_an_error_within_that_of_the_reference_has_no_origin():
    found = compare(computed({("c", "o"): np.array([1e-3, 0, 0])}), certified(bounds=1e-3))
    assert not found.resolved
    assert not found.conditions
    assert found.resolution == pytest.approx(1e-3 * math.sqrt(3.0) / 5.0)


def test_a_gradient_that_vanishes_is_compared_with_its_terms():
    vanishing = {pair: [1e-12, 0.0, 0.0] for pair in EXACT}
    exact = certified(bounds=1e-16, parts=vanishing)
    found = compare(computed({}), exact)
    assert found.scale == pytest.approx(math.sqrt(3.0))


@pytest.mark.parametrize("exact", [None, certified(bounds=np.inf)])
def test_without_a_certificate_nothing_is_claimed(exact):
    table = audit_table([computed({}, rtol) for rtol in (1e-4, 1e-5)], exact, THRESHOLDS)
    assert set(table["verdict"]) == {"unknown"}
    assert set(table["condition"]) == {""}
    assert np.all(np.isinf(table["resolution"]))


def test_a_tolerance_series_has_verdicts_and_a_failed_solve_its_conditions():
    series = [
        computed({("c", "o"): np.array([5e4 * rtol, 0, 0])}, rtol) for rtol in (1e-4, 1e-5, 1e-7)
    ]
    lost = computed({}, 1e-8, status="max_steps")
    table = audit_table([*series, lost], certified(), THRESHOLDS)
    assert table["verdict"].tolist() == ["horrible", "bad", "good", "horrible"]
    assert table["failed"].tolist() == [[], [], [], ["c"]]
    assert np.isnan(table["error"].iloc[3])
    assert bool(table["converging"].iloc[2])
    assert table["work"].is_monotonic_increasing
