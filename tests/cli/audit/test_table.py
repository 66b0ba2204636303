"""Verdicts of an audit within the certified digits, and its cheapest setting."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from gradaudit.cli.audit.table import cheapest, estimates_in_unit, judged, unjudged, worst

VERDICT = {"good": 1e-2, "horrible": 0.5}


def rows(errors, *, verdicts, scale: float = 1.0, **changes) -> pd.DataFrame:
    count = len(errors)
    return pd.DataFrame(
        {
            "solver": "tsit5",
            "method": "forward_ad",
            "rtol": [10.0**-k for k in range(3, 3 + count)],
            "atol": [10.0 ** (-k - 3) for k in range(3, 3 + count)],
            "functional": "terminal_y",
            "status": "ok",
            "error": errors,
            "relative_error": errors,
            "natural_scale": scale,
            "reference_norm": 1.0,
            "verdict": verdicts,
            "converging": True,
            "kind": "terminal",
            "reason": "",
            "dominant": "state",
            "indicator": 1.0,
            "steps": [10.0 * 2**k for k in range(count)],
            "work": [60.0 * 2**k for k in range(count)],
            "seconds": [1e-3 * 2**k for k in range(count)],
            "compile_seconds": 1.0,
            **changes,
        }
    )


def test_a_certified_reference_leaves_the_verdicts():
    table = rows([0.1, 1e-3, 1e-9], verdicts=["bad", "good", "good"])
    assert list(judged(table, digits=12.0, verdict=VERDICT)["verdict"]) == ["bad", "good", "good"]


def test_no_digits_no_verdict():
    """A reference that missed a dose is wrong by any factor."""
    table = rows([1e6, 0.7, 1e-3], verdicts=["horrible"] * 3)
    found = judged(table, digits=0.0, verdict=VERDICT)
    assert list(found["verdict"]) == ["unknown"] * 3
    few = judged(table, digits=1.0, verdict=VERDICT)
    assert list(few["verdict"]) == ["horrible", "unknown", "unknown"]


def test_a_gradient_that_cancels_is_known_to_fewer_digits():
    """|g| is 1e-10 of its terms: 12 digits of the terms are 2 of the gradient."""
    table = rows([1e-3, 1e-3], verdicts=["good", "good"], scale=1e10)
    found = judged(table, digits=12.0, verdict=VERDICT)
    assert list(found["verdict"]) == ["unknown", "unknown"]
    assert found["resolution"].iloc[0] == pytest.approx(1e-2)


def test_a_ladder_that_ends_in_the_references_own_error_is_not_called_horrible():
    """1e-2 again and again is the error of a reference with 2 digits, not of the solver."""
    table = rows([0.3, 1e-2, 1e-2, 1e-2], verdicts=["horrible"] * 4, converging=False)
    found = judged(table, digits=2.0, verdict=VERDICT)
    assert list(found["verdict"]) == ["unknown"] * 4


def test_a_solve_that_failed_stays_horrible_whatever_the_reference():
    table = rows([math.nan], verdicts=["horrible"], status="max_steps")
    assert list(judged(table, digits=0.0, verdict=VERDICT)["verdict"]) == ["horrible"]


@pytest.mark.parametrize(("digits", "expected"), [(12.0, 1e-4), (4.5, 1e-5), (3.9, None)])
def test_an_accuracy_is_reached_only_if_the_reference_can_tell(digits, expected):
    """Errors 9e-5 and 1e-5: with 3e-5 of the reference's own the first may be above 1e-4."""
    table = judged(
        rows([9e-5, 1e-5], verdicts=["good"] * 2, rtol=[1e-4, 1e-5]), digits=digits, verdict=VERDICT
    )
    best, reason = cheapest(worst(table), 1e-4)
    assert (best and best["rtol"]) == expected
    assert bool(reason) == (expected is None)


def test_without_a_reference_no_setting_is_the_cheapest():
    columns = unjudged([]).columns
    row = {"solver": "tsit5", "method": "forward_ad", "status": "ok", "functional": "", "kind": "",
           "reason": "not_converging", "verdict": "unknown", "resolution": math.inf}  # fmt: skip
    table = pd.DataFrame([{name: row.get(name, math.nan) for name in columns} | {"rtol": 1e-6}])
    assert cheapest(table, 1e-2) == (None, "no setting converges as the tolerance is tightened")


def test_an_estimate_is_in_the_unit_of_the_error():
    """The sum of squares to its own trace: its gradient is 0, and any error is 100 % of that."""
    table = pd.DataFrame(
        {
            "solver": "tsit5", "method": "forward_ad", "rtol": 1e-6,
            "functional": ["terminal_y", "trace_sse_exact"],
            "error": math.nan, "resolution": math.inf,
            "estimated_error": [1e-5, 3.0],
            "gradient_norm": [2.0, 1e-6], "reference_norm": [2.0, 0.0], "natural_scale": 10.0,
        }
    )  # fmt: skip
    found = estimates_in_unit(table, {"verdict": {"cancellation": 1e-9}})
    assert found["estimated_error"].tolist() == pytest.approx([1e-5, 1e-7])
    assert worst(found)["functional"].tolist() == ["terminal_y"]
