"""The run of one solver and method: what is a metric, what is a tag."""

import math

import pandas as pd
import pytest

from gradaudit.tracking.ladders import ladder_key, ladder_plan
from gradaudit.tracking.names import Steps
from gradaudit.tracking.plan import NOTE

TOLERANCES = (1e-3, 1e-6, 1e-9)


def row(rtol, functional, **changes):
    return {
        "solver": "tsit5",
        "method": "forward_ad",
        "mechanism": "smooth",
        "regime": "good",
        "rtol": rtol,
        "atol": 1e-3 * rtol,
        "functional": functional,
        "kind": "terminal",
        "status": "ok",
        "error": rtol,
        "digits": -math.log10(rtol),
        "order": 1.0,
        "ladder_verdict": "good" if functional == "terminal_V" else "bad",
        "sufficient_rtol": 1e-3 if functional == "terminal_V" else 1e-6,
        "work": 1.0 / rtol,
        **dict.fromkeys(("state_error", "indicator", "steps"), 2.0),
        "seconds": 0.25,
        "compile_seconds": 1.0,
        "gradient": [1.0, 2.0],
    } | changes


def plan_of(rows, *, best=False):
    return ladder_plan(
        pd.DataFrame(rows),
        model="logistic",
        parent="model/logistic",
        functionals=["terminal_V", "maximum_V"],
        best=best,
        steps=Steps(TOLERANCES),
        facts={"n_states": 1},
        provenance={"provenance.stage": "evaluate"},
    )


def values(plan, name):
    return {reading.step: reading.value for reading in plan.readings if reading.name == name}


@pytest.fixture
def rows():
    return [row(rtol, name) for rtol in TOLERANCES for name in ("terminal_V", "maximum_V")]


def test_the_run_belongs_to_its_model_and_has_a_key_of_its_own(rows):
    plan = plan_of(rows)
    assert plan.key == ladder_key("logistic", "tsit5", "forward_ad")
    assert plan.key == "solve/logistic/tsit5/forward_ad"
    assert (plan.name, plan.parent) == ("tsit5 forward_ad logistic", "model/logistic")


def test_the_verdict_leaves_out_functionals_that_do_not_count(rows):
    count = [
        row(rtol, "event_count_spike", ladder_verdict="horrible", sufficient_rtol=math.nan)
        for rtol in TOLERANCES
    ]
    tags = plan_of(rows + count).tags
    assert (tags["verdict"], tags["verdict.event_count_spike"]) == ("bad", "horrible")


def test_params_are_the_setting_of_the_whole_series(rows):
    assert plan_of(rows).params == {
        "n_states": "1",
        "solver": "tsit5",
        "method": "forward_ad",
        "rtol_loosest": "0.001",
        "rtol_tightest": "1e-09",
        "tolerances": "3",
        "atol_factor": "0.001",
        "functionals": "2",
    }


def test_errors_are_stepped_over_tolerances_by_functional(rows):
    plan = plan_of(rows)
    assert values(plan, "error/terminal_V") == {3: 1e-3, 6: 1e-6, 9: 1e-9}
    assert values(plan, "rtol") == {3: 1e-3, 6: 1e-6, 9: 1e-9}
    assert values(plan, "seconds") == dict.fromkeys((3, 6, 9), 0.25)
    assert values(plan, "failed") == dict.fromkeys((3, 6, 9), 0.0)


def test_the_summary_counts_a_solve_once_and_not_per_functional(rows):
    plan = plan_of(rows)
    assert values(plan, "worst_error") == {3: 1e-3, 6: 1e-6, 9: 1e-9}
    assert values(plan, "digits") == pytest.approx({3: 3.0, 6: 6.0, 9: 9.0})
    assert values(plan, "at_1e-6/digits") == {0: pytest.approx(6.0)}
    assert values(plan, "at_1e-6/seconds") == {0: 0.25}
    assert values(plan, "needed_digits_of_rtol") == {0: pytest.approx(6.0)}
    assert values(plan, "needed_work") == {0: 1e6}
    assert values(plan, "functionals_bad") == {0: 1.0}
    assert values(plan, "functionals_horrible") == {0: 0.0}


def test_no_run_has_more_metrics_than_a_person_reads(rows):
    many = [row(rtol, f"maximum_{k}") for rtol in TOLERANCES for k in range(50)]
    names = {reading.name for reading in plan_of(rows + many).readings}
    assert len(names) == 30
    # the main functionals come first
    kinds = [one | {"kind": "maximum"} for one in many] + rows
    assert "error/terminal_V" in {reading.name for reading in plan_of(kinds).readings}


def test_the_run_says_from_which_tolerance_on_it_is_right(rows):
    plan = plan_of(rows)
    assert plan.tags["needed_rtol"] == "1e-6"
    assert plan.tags["worst_functional"] == "maximum_V"
    assert "best" not in plan.tags
    assert plan.tags[NOTE] == (
        "**logistic, tsit5, forward AD**: right from rtol 1e-6 on; maximum_V needs it."
    )
    best = plan_of(rows, best=True)
    assert best.tags["best"] == "yes"
    assert best.tags[NOTE].endswith("**The cheapest setting of this model.**")
    never = plan_of([one | {"sufficient_rtol": math.nan} for one in rows])
    assert never.tags["needed_rtol"] == "never"
    assert "no tolerance makes every gradient right; maximum_V never is" in never.tags[NOTE]


def test_tags_have_the_verdict_of_each_functional_and_the_worst(rows):
    tags = plan_of(rows).tags
    assert tags["verdict"] == "bad"
    assert tags["verdict.terminal_V"] == "good"
    assert tags["status"] == "ok"
    assert "not_finite" not in tags
    assert tags["provenance.stage"] == "evaluate"


def test_failed_solves_are_named_with_their_tolerances(rows):
    for index in (0, 1, 2, 3):
        rows[index] |= {"status": "max_steps", "error": math.nan, "digits": math.nan}
    plan = plan_of(rows)
    assert plan.tags["status"] == "max_steps at rtol 1e-3, 1e-6"
    assert values(plan, "failed_solves") == {0: 2.0}
    assert values(plan, "error/terminal_V") == {9: 1e-9}
    assert "not_finite" not in plan.tags


def test_what_is_infinite_though_the_solve_went_well_is_a_tag(rows):
    rows[2] |= {"error": math.inf}
    plan = plan_of(rows)
    assert plan.tags["not_finite"] == "error/terminal_V at rtol 1e-6"
    assert values(plan, "error/terminal_V") == {3: 1e-3, 9: 1e-9}


def test_the_table_is_an_artifact_from_loose_to_tight(rows):
    (artifact,) = plan_of(rows[::-1]).artifacts
    assert artifact.path == "table/audit.csv"
    lines = artifact.content.decode().splitlines()
    assert len(lines) == 7
    assert "gradient" not in lines[0].split(",")
    assert [line.split(",")[4] for line in lines[1:3]] == ["0.001", "0.001"]
