"""From which tolerance on a setting is right, and which setting is the cheapest."""

import math

import pandas as pd
import pytest

from gradaudit.tracking.usable import best_setting, counted, usable


def row(solver, functional, needed, *, kind="terminal", verdict="good", work=1.0):
    return [
        {
            "solver": solver,
            "method": "forward_ad",
            "functional": functional,
            "kind": kind,
            "rtol": rtol,
            "sufficient_rtol": needed,
            "ladder_verdict": verdict,
            "work": work / rtol,
        }
        for rtol in (1e-3, 1e-6)
    ]


def test_a_setting_needs_what_its_worst_functional_needs():
    table = pd.DataFrame([*row("tsit5", "a", 1e-3), *row("tsit5", "b", 1e-6)])
    found = usable(table, ["a", "b"])
    assert (found.rtol, found.functional, found.work) == (1e-6, "b", pytest.approx(1e6))
    assert found.needed == "1e-6"


@pytest.mark.parametrize("changes", [{"needed": math.nan}, {"needed": 1e-3, "verdict": "horrible"}])
def test_a_functional_that_is_never_right_leaves_none(changes):
    table = pd.DataFrame([*row("tsit5", "a", 1e-3), *row("tsit5", "b", **changes)])
    found = usable(table, ["a", "b"])
    assert (found.needed, found.functional) == ("never", "b")


def test_own_data_and_what_no_setting_can_do_do_not_count():
    table = pd.DataFrame(
        [
            *row("tsit5", "a", 1e-3),
            *row("tsit5", "same", 1e-3, kind="trace_sse_solver"),
            *row("tsit5", "count", math.nan, kind="event_count"),
        ]
    )
    assert counted(table)[0] == "a"
    assert "count" not in counted(table)
    hopeless = pd.DataFrame(row("tsit5", "count", math.nan))
    assert counted(hopeless) == ["count"]


def test_the_cheapest_setting_has_the_least_work_where_it_is_right():
    table = pd.DataFrame(
        [
            *row("dopri8", "a", 1e-3, work=9.0),
            *row("tsit5", "a", 1e-6),  # right later only, and dearer there
            *row("heun", "a", 1e-3, work=math.nan),
        ]
    )
    best = best_setting(table)
    assert best is not None
    assert best[:2] == ("dopri8", "forward_ad")
    assert best_setting(pd.DataFrame(row("tsit5", "a", math.nan))) is None
