"""Runs of an estimation problem, from a made-up table."""

from __future__ import annotations

import pandas as pd

from gradaudit.tracking.names import Steps
from gradaudit.tracking.plan import NOTE
from gradaudit.tracking.problems import problem_plans


def row(error, **changes):
    plain = {
        "problem": "immune", "point": "nominal", "tool": "", "solver": "tsit5",
        "method": "forward_ad", "rtol": 1e-6, "status": "ok", "verdict": "good", "work": 1.0,
        "error": error, "cosine": 1.0, "steps": 10.0, "seconds": 0.1, "sufficient_rtol": 1e-6,
        "digits": 11.0, "reference_status": "ok", "reference_value": -3.0,
        "reference_gradient": [3.0, 4.0], "parameters": ["a", "b"], "measurements": 5,
        "simulated_conditions": 2,
    }  # fmt: skip
    return {**plain, **changes}


TABLE = pd.DataFrame(
    [
        row(0.5, rtol=1e-3, verdict="bad"),
        row(2e-3),
        row(7.0, tool="CVODES (AMICI)", method="cvodes", rtol=1e-8, sufficient_rtol=float("nan")),
        row(9.0, point="drawn 1"),
    ]
)


def plans():
    made = problem_plans(
        TABLE, model="immune", steps=Steps([1e-3, 1e-6, 1e-8]), provenance={}, artifacts=()
    )
    return {plan.key: plan for plan in made}


def test_a_problem_has_a_run_and_each_setting_and_tool_one_below_it():
    found = plans()
    assert list(found) == [
        "problem/immune",
        "problem/immune/tsit5 forward_ad",
        "problem/immune/CVODES (AMICI)",
    ]
    assert {plan.parent for plan in list(found.values())[1:]} == {"problem/immune"}


def test_the_run_says_what_is_certified_and_how_wrong_the_usual_gradient_is():
    whole = plans()["problem/immune"]
    values = {(r.name, r.step): r.value for r in whole.readings}
    assert values["at_1e-6/error", 0] == 2e-3
    assert values["gradient_norm", 0] == 5.0
    assert values["error/CVODES _AMICI", 8] == 7.0
    assert whole.tags["verdict"] == "good"  # in that setting, whatever others are
    assert whole.tags["best"] == "tsit5 forward_ad at rtol 1e-6"
    assert (
        "forward AD at 1e-6 has a relative error of 0.002, good. Cheapest right setting: tsit5 "
        "forward_ad at rtol 1e-6. Certified: 11.0 digits (ok)" in whole.tags[NOTE]
    )


def test_the_solver_of_least_work_with_a_result_is_the_usual_one():
    nothing = float("nan")
    table = pd.DataFrame(
        [
            row(nothing, status="max_steps", verdict="horrible", work=0.5, sufficient_rtol=nothing),
            row(0.2, solver="rodas5p", verdict="bad", work=2.0, sufficient_rtol=nothing),
            row(1e-3, solver="kvaerno5", verdict="good", work=3.0),
        ]
    )
    plan = next(problem_plans(table, model="a", steps=Steps([1e-6]), provenance={}, artifacts=()))
    values = {(r.name, r.step): r.value for r in plan.readings}
    assert (values["at_1e-6/error", 0], plan.tags["verdict"]) == (0.2, "bad")
    assert plan.tags["best"] == "kvaerno5 forward_ad at rtol 1e-6"
    lost = table.iloc[:1]
    plan = next(problem_plans(lost, model="a", steps=Steps([1e-6]), provenance={}, artifacts=()))
    assert (plan.tags["verdict"], plan.tags["best"]) == ("horrible", "none")
    assert "forward AD at 1e-6 has no result" in plan.tags[NOTE]


def test_a_setting_has_its_errors_over_the_tolerances():
    found = plans()
    steps = {r.step: r.value for r in found["problem/immune/tsit5 forward_ad"].readings
             if r.name == "error"}  # fmt: skip
    assert steps == {3: 0.5, 6: 2e-3}
    assert found["problem/immune/CVODES (AMICI)"].tags["needed_rtol"] == "never"


def test_a_problem_that_cannot_be_read_has_a_run_that_says_why():
    nothing = float("nan")
    unread = pd.DataFrame([row(
        nothing, solver="", method="", rtol=nothing, status="refused", verdict="unknown",
        reference_status="refused: the file is missing", reference_value=nothing,
        reference_gradient=[], parameters=[], digits=0.0,
    )])  # fmt: skip
    (plan,) = problem_plans(unread, model="torn", steps=Steps([1e-3]), provenance={}, artifacts=())
    assert plan.tags["status"] == "refused: the file is missing"
