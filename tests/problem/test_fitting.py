"""Fits from the same starts: a closed form, and an objective that is made up."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace

import numpy as np
import pytest

import gradaudit
from gradaudit.problem import fitting
from gradaudit.problem.definition import parameters
from gradaudit.problem.usual import usual_settings
from problem.conftest import writer

TIGHT = {"solver": "tsit5", "method": "forward_sensitivity", "rtol": 1e-9, "atol": 1e-12}
USUAL = {"solver": "tsit5", "method": "forward_ad", "rtol": 1e-3, "atol": 1e-6}
MADE_UP = SimpleNamespace(
    parameters=parameters(
        [("a", "lin", 0.5, -4.0, 4.0), ("b", "lin", 0.0, math.nan, math.nan)],
    )
)


def of_value(value, slope, *, status="ok"):
    stats = {"compile_seconds": 0.0}
    return SimpleNamespace(value=value, gradient=slope, status=status, stats=stats)


@pytest.fixture
def made_up(monkeypatch):
    """Make the log-likelihood -(|p|^2) / 2, with a gradient that a setting may have of its own."""

    def make(wrong=lambda p, setting: -p, seconds=0.0, lost=lambda p, setting: False):
        def gradients(problem, settings, p=None):
            time.sleep(seconds)
            p = problem.parameters.nominal if p is None else p
            (setting,) = settings
            if lost(p, setting):
                return [of_value(math.nan, p, status="max_steps")]
            right = setting["method"] == TIGHT["method"]
            return [of_value(-float(p @ p) / 2, -p if right else wrong(p, setting))]

        monkeypatch.setattr(fitting, "gradients", gradients)

        def run(points, *, iterations=50, limit=60.0):
            return fitting.fits(
                MADE_UP, [TIGHT, USUAL], np.array(points), iterations=iterations, seconds=limit
            )

        return run

    return make


def test_starts_are_the_same_each_time_and_within_the_bounds():
    found = fitting.starts(MADE_UP.parameters, 200, spread=3.0, seed=1)
    assert found.shape == (200, 2)
    assert np.abs(found[:, 0]).max() == 4.0
    assert np.abs(found[:, 1]).max() > 4.0  # without bounds
    np.testing.assert_array_equal(
        found, fitting.starts(MADE_UP.parameters, 200, spread=3.0, seed=1)
    )
    assert not np.array_equal(found, fitting.starts(MADE_UP.parameters, 200, spread=3.0, seed=2))


@pytest.mark.slow
def test_fits_end_at_the_maximum_of_the_closed_form(tmp_path):
    """2 exp(-2 k) = 1, as measured at 2; what is measured at 0 has a residual of one noise."""
    problem = gradaudit.load_problem(writer(tmp_path)())
    settings = usual_settings(problem, "tsit5", atol_factor=1e-3, max_steps=10_000)
    assert [(own["method"], own["rtol"]) for own in settings] == [
        ("forward_sensitivity", 1e-9),
        ("forward_ad", 1e-3),
        ("forward_ad", 1e-6),
        ("forward_sensitivity", 1e-6),
    ]
    points = fitting.starts(problem.parameters, 2, spread=0.3, seed=1)
    found = fitting.fits(problem, settings, points, iterations=50, seconds=600.0)
    assert found["status"].tolist() == ["ok"] * 8
    assert found["start"].tolist() == [0] * 4 + [1] * 4
    best = math.log10(math.log(2.0) / 2.0)
    value = -0.5 - 2.0 * math.log(0.5) - math.log(2.0 * math.pi)
    tight = found[found["judges"]]
    # L-BFGS-B stops at a gradient of 1e-5, or where the value stands still to 1e-9
    np.testing.assert_allclose(np.stack(tight["end_point"])[:, 0], best, atol=1e-4)
    np.testing.assert_allclose(found["log_likelihood"], value, atol=1e-5)
    assert found["elsewhere"].tolist() == [False] * 8
    assert (found["distance"] < 1e-2).all()  # of the tolerance 1e-3
    assert (tight["distance"] == 0.0).all()


def test_a_wrong_gradient_ends_elsewhere_and_fails_in_its_line_search(made_up):
    found = made_up(wrong=lambda p, setting: p)([[2.0, 1.0]])  # it points away
    tight, usual = found.to_dict("records")
    assert (tight["elsewhere"], usual["elsewhere"]) == (False, True)
    assert usual["better"] is False
    assert usual["line_search_failed"]
    assert not tight["line_search_failed"]
    assert tight["log_likelihood"] == pytest.approx(0.0, abs=1e-9)
    assert usual["log_likelihood"] == pytest.approx(-2.5)
    assert usual["reference"] == tight["log_likelihood"]
    assert usual["distance"] == pytest.approx(math.hypot(2.0, 1.0), abs=1e-4)
    assert usual["end_point"] == usual["start_point"] == [2.0, 1.0]


def test_lost_solves_are_counted_and_an_end_without_a_judge_is_told(made_up):
    run = made_up(lost=lambda p, setting: p[0] > 1.0 and setting is USUAL)
    tight, usual = run([[2.0, 1.0]]).to_dict("records")
    assert tight["lost"] == 0
    assert (usual["status"], usual["lost"], usual["iterations"]) == ("ok", 1, 0)
    assert usual["elsewhere"] is True
    found = made_up(lost=lambda p, setting: True)([[2.0, 1.0]])
    assert found["status"].tolist() == ["not_judged: max_steps"] * 2
    assert found["elsewhere"].tolist() == [None, None]
    assert found["log_likelihood"].isna().all()


def test_what_the_time_leaves_out_is_a_row_with_a_status(made_up):
    found = made_up(seconds=0.05)([[2.0, 1.0], [1.0, 1.0]], limit=0.06)
    assert found["status"].tolist() == ["time_limit", "not_run", "not_run", "not_run"]
    assert found["calls"].tolist()[1:] == [0, 0, 0]
    assert found["calls"][0] >= 1
    assert found["elsewhere"].tolist() == [None] * 4
    assert found["distance"].isna().all()


def test_the_first_solver_with_a_result_is_taken(made_up):
    other = {**TIGHT, "solver": "rodas5p"}
    made_up(lost=lambda p, setting: setting["solver"] == "tsit5")
    problem = SimpleNamespace(parameters=MADE_UP.parameters)
    chosen = fitting.first_that_works(problem, [[TIGHT, USUAL], [other]])
    assert chosen == [other]
    made_up(lost=lambda p, setting: True)
    assert fitting.first_that_works(problem, [[TIGHT, USUAL], [other]]) == [TIGHT, USUAL]
