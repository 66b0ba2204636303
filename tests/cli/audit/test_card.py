"""The card of an audit: the answer, and the advice that follows from the rows."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from gradaudit.cli.audit.card import card
from gradaudit.cli.audit.table import worst
from gradaudit.cli.audit.view import Audit, ReferenceSummary, model_size

TOLERANCES = (1e-4, 1e-6, 1e-8)


def rows(method: str, errors, *, solver: str = "tsit5", functional: str = "terminal_y", **changes):
    work = 10.0 if method == "forward_ad" else 30.0
    return pd.DataFrame(
        {
            "solver": solver,
            "method": method,
            "rtol": TOLERANCES,
            "functional": functional,
            "status": ["ok" if math.isfinite(error) else "max_steps" for error in errors],
            "error": errors,
            "resolution": 1e-12,
            "verdict": ["good" if error <= 1e-2 else "horrible" for error in errors],
            "dominant": "tangent",
            "estimated_error": 1e-5,
            "neglected": 0.0,
            "steps": 20.0,
            "work": [work, 2.0 * work, 4.0 * work],
            "seconds": 1e-3,
            **changes,
        }
    )


def lines(*tables, **changes) -> dict[str, str]:
    table = pd.concat(tables, ignore_index=True)
    fields = {
        "model": "m.py",
        "name": "m",
        "accuracy": 1e-4,
        "truth": ReferenceSummary(status="ok", digits=12.0),
        "rows": worst(table),
        "table": table,
        "cheapest": None,
        "reason": "none",
    }
    return card(Audit(**{**fields, **changes}))


def test_the_size_of_the_model_comes_first():
    described = {
        "states": {"x": "1", "y": "1"},
        "parameters": {"a": [1.0, "1"]},
        "events": [],
        "t_end": 20.0,
        "time_unit": "ms",
    }
    assert model_size(described) == "2 states, 1 parameter, time 0 to 20 ms"
    assert model_size({**described, "time_unit": "1", "events": ["spike"]}) == (
        "2 states, 1 parameter, 1 event, time 0 to 20"
    )
    found = lines(rows("forward_ad", [1e-3, 1e-5, 1e-7]), size=model_size(described))
    assert next(iter(found)) == "model"


def test_a_right_gradient_needs_nothing():
    found = lines(rows("forward_ad", [1e-3, 1e-5, 1e-7]))
    assert "RIGHT, relative error 1e-5" in found["today"]
    assert found["right from"].startswith("rtol 1e-4")
    assert found["fails"] == "nothing"
    assert found["next"] == "nothing: the error is at most 1e-2"


def test_what_is_inaccurate_and_not_wrong_is_counted_among_what_fails():
    found = lines(rows("forward_ad", [0.3, 2e-2, 1e-7]))
    assert found["fails"] == (
        "nothing; inaccurate (error above 1e-2, at most 0.5): 2 settings, not named here"
    )


def test_a_right_gradient_that_misses_the_accuracy_says_how_to_reach_it():
    found = lines(rows("forward_ad", [1e-3, 5e-4, 2e-4]))
    assert found["next"].endswith("for 1e-4 try --tightest with a smaller tolerance")


def test_the_answer_is_that_of_the_worst_functional_and_the_others_are_counted():
    found = lines(
        rows("forward_ad", [1e-3, 1e-5, 1e-7]),
        rows("forward_ad", [9.0, 3.0, 1e-3], functional="mean_y"),
    )
    assert "WRONG, relative error 3 (mean_y" in found["today"]
    assert found["functionals"] == "1 of 2 have a right gradient; not mean_y"
    assert "silently: tsit5 forward_ad at 1e-4, 1e-6 (error up to 9)" in found["fails"]
    assert found["next"].startswith("use tsit5, forward_ad, rtol 1e-8: error 1e-3")


def test_another_method_is_taken_where_it_is_cheaper():
    found = lines(
        rows("forward_ad", [9.0, 3.0, 1e-3]), rows("forward_sensitivity", [1e-3, 1e-5, 1e-7])
    )
    assert "use tsit5, forward_sensitivity, rtol 1e-4" in found["next"]
    assert "it controls the error of the tangents" in found["next"]


def test_a_term_that_is_missing_is_named_and_no_tolerance_is_advised():
    found = lines(rows("forward_ad", [1.0, 1.0, 1.0], neglected=1.0))
    assert "saltation term: a step crosses a jump" in found["error from"]
    assert "100% of an entry" in found["error from"]
    assert "declare what switches as an event" in found["next"]
    cured = lines(
        rows("forward_ad", [1.0, 1.0, 1.0], neglected=1.0), rows("saltation", [1e-3, 1e-5, 1e-7])
    )
    assert cured["next"].startswith("use tsit5, saltation, rtol 1e-4")


def test_without_a_reference_the_estimate_stands_alone():
    truth = ReferenceSummary(status="none", reason="it is refused")
    found = lines(
        rows("forward_ad", [math.nan] * 3, status="ok", verdict="unknown", resolution=math.inf),
        truth=truth,
    )
    assert "UNKNOWN" in found["today"]
    assert "estimated without the reference" in found["estimate"]
    assert "only the estimate is known" in found["next"]
    assert not {"functionals", "error from", "right from"} & set(found)


def test_a_term_that_is_missing_is_named_without_a_reference_as_well():
    truth = ReferenceSummary(status="none", reason="it is refused")
    columns = {"status": "ok", "verdict": "unknown", "resolution": math.inf, "neglected": 0.8}
    found = lines(rows("forward_ad", [math.nan] * 3, **columns), truth=truth)
    assert "80% of an entry" in found["error from"]
    assert "declare what switches as an event" in found["next"]


def test_the_estimate_of_another_solver_has_no_place_on_the_card():
    found = lines(
        rows("forward_ad", [1e-3, 1e-5, 1e-7], estimated_error=math.nan),
        rows("forward_ad", [1e-3, 1e-5, 1e-7], solver="dopri8", work=100.0),
    )
    assert "tsit5" in found["today"]
    assert "estimate" not in found


def test_a_solve_that_fails_is_no_gradient():
    found = lines(
        rows("forward_ad", [math.nan] * 3), rows("forward_sensitivity", [1.0, 1e-3, 1e-4])
    )
    assert "NO GRADIENT (max_steps)" in found["today"]
    assert "estimate" not in found
    assert "with a status: tsit5 forward_ad at 1e-4 to 1e-8 (max_steps)" in found["fails"]
    assert "use tsit5, forward_sensitivity, rtol 1e-6" in found["next"]


@pytest.mark.parametrize("methods", [("forward_sensitivity",), ("dual_norm", "saltation")])
def test_without_forward_ad_today_is_the_method_of_least_work(methods):
    found = lines(*(rows(method, [1e-3, 1e-5, 1e-7]) for method in methods))
    assert f"tsit5, {methods[0]}, rtol 1e-6" in found["today"]


def test_a_gradient_below_the_absolute_tolerance_is_told_and_no_tighter_one_advised():
    """A substrate that is used up: the true value at the end is 1e-60."""
    table = rows("forward_ad", [1e52, 1e50, 1e48], kind="terminal", reference_norm=1e-58, atol=1e-9)
    found = lines(table)
    assert "smaller, 1e-58, than atol, 1e-9" in found["error from"]
    assert found["next"].startswith("let the window end earlier")


def test_a_tolerance_that_was_tried_is_not_advised():
    few = lines(rows("forward_ad", [0.5, 0.4, 0.3]))
    assert "--tightest 1e-11" in few["next"]
    all_tried = rows("forward_ad", [0.5, 0.4, 0.3]).assign(rtol=[1e-4, 1e-6, 1e-11])
    assert "--tightest" not in lines(all_tried)["next"]


def test_an_estimate_without_a_digit_has_no_interval():
    found = lines(rows("forward_ad", [0.5, 0.4, 0.3], estimated_error=1e3))
    assert found["estimate"].startswith("no digit")


def test_what_to_do_next_names_the_accuracy_that_it_has():
    """A setting that is right, and another one for the accuracy that is wanted."""
    better = rows("forward_sensitivity", [5e-3, 2e-3, 2e-5])
    cheapest = better.iloc[2].to_dict()
    found = lines(rows("forward_ad", [0.4, 0.3, 0.2]), better, cheapest=cheapest)
    assert found["next"].startswith("use tsit5, forward_sensitivity, rtol 1e-4: error 5e-3")
    assert found["next"].endswith("; for 1e-4 the setting of `cheapest`")
