"""Recommended settings are good enough, and the next looser ones are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gradaudit
from gradaudit.errors import SettingError
from gradaudit.problem.recommendation import _choice
from problem.conftest import writer

PARAMETERS = "parameterId parameterScale lowerBound upperBound nominalValue estimate"
OBSERVABLES = "observableId observableFormula noiseFormula"
MEASUREMENTS = "observableId simulationConditionId time measurement"


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    """A decay of which rate and amplitude are estimated."""
    return gradaudit.load_problem(
        writer(tmp_path_factory.mktemp("recommended"))(
            parameters=[
                PARAMETERS,
                "k log10 1e-2 1e1 0.5 1",
                "gain lin 0 10 1.5 1",
            ],
            conditions=["conditionId a0", "c 2"],
            observables=[OBSERVABLES, "o gain*A 0.1"],
            measurements=[MEASUREMENTS, "o c 1 1.75", "o c 2 1.2", "o c 4 0.35", "o c 6 0.2"],
        )
    )


@pytest.fixture(scope="module")
def found(problem):
    return gradaudit.recommend(
        problem,
        solvers=["tsit5"],
        methods=["forward_ad"],
        tolerances=[1e-1, 1e-2, 1e-3, 1e-5, 1e-7],
    )


@pytest.mark.slow
def test_a_recommended_setting_is_good_enough_and_a_looser_one_is_not(problem, found):
    assert {point.name for point in found.points} == {"nominal", "typical", "far 1"}
    assert not found.left_out
    assert found.setting == found.choices["all"].setting
    exact = gradaudit.fisher_information(problem)
    for goal in ("step", "standard_error", "hmc", "all"):
        choice = found.choices[goal]
        assert choice.setting is not None
        assert choice.value <= choice.limit
        assert not choice.looser <= choice.limit
    setting = found.choices["standard_error"].setting
    own = gradaudit.fisher_information(problem, **setting)
    assert np.all(np.abs(own.standard_errors / exact.standard_errors - 1) <= 0.01)
    setting = found.choices["step"].setting
    for point in found.points:
        wrong = problem.gradient(point.p, **setting).gradient - point.gradient
        step, change = point.metric.step(point.gradient), point.metric.step(wrong)
        length = np.linalg.norm(point.metric.triangle @ step)
        assert np.linalg.norm(point.metric.triangle @ change) <= 0.01 * max(length, 0.1)


@pytest.mark.slow
def test_a_wanted_accuracy_is_the_only_goal(problem):
    found = gradaudit.recommend(
        problem,
        1e-4,
        far=0,
        solvers=["tsit5"],
        methods=["forward_ad"],
        tolerances=[1e-3, 1e-6, 1e-9],
    )
    assert set(found.choices) == {"accuracy", "all"}
    exact = gradaudit.reference_gradient(problem)
    own = problem.gradient(**found.setting)
    error = np.linalg.norm(own.gradient - exact.gradient) / np.linalg.norm(exact.gradient)
    assert error <= 1e-4
    tight = gradaudit.recommend(
        problem, 1e-4, far=0, solvers=["tsit5"], methods=["forward_ad"], tolerances=[1e-1]
    )
    assert tight.setting is None
    assert "no tolerance that was tried" in str(tight)


def table(values, **others):
    """One curve at one point, tolerances 1e-1, 1e-2, ..."""
    rows = [
        {
            "point": "nominal", "near": True, "solver": "tsit5", "method": "forward_ad",
            "rtol": 10.0 ** -(k + 1), "setting": {"rtol": 10.0 ** -(k + 1)}, "work": 10.0 * (k + 1),
            "status": "ok" if np.isfinite(value) else "max_steps", "step_change": value,
            "step_change_doubt": 0.0, "value_error": 0.0, **others,
        }
        for k, value in enumerate(values)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_one_lucky_tolerance_does_not_count():
    choice = _choice("step", {"step": 0.01}, table([0.5, 0.001, 0.2, 0.005, 0.0001]))
    assert choice.setting == {"rtol": 1e-4}
    np.testing.assert_allclose([choice.value, choice.looser], [0.005, 0.2])


def test_failed_solves_say_so_themselves_and_are_left_out():
    choice = _choice("step", {"step": 0.01}, table([np.nan, 0.5, 0.001, 0.0001, np.nan]))
    assert choice.setting == {"rtol": 1e-3}
    choice = _choice("step", {"step": 0.01}, table([np.nan, np.nan]))
    assert choice.setting is None


def test_an_infinite_change_is_no_failed_solve():
    choice = _choice("step", {"step": 0.01}, table([0.001, np.inf, 0.0001]).assign(status="ok"))
    assert choice.setting == {"rtol": 1e-3}


def test_a_coarse_reference_is_told():
    choice = _choice("step", {"step": 0.01}, table([0.001, 0.001], step_change_doubt=0.02))
    assert choice.setting is None
    assert choice.reason == "the reference has too few digits"


def test_the_cheapest_of_several_curves_is_taken():
    costly = table([0.001, 0.001])
    costly["work"] *= 100.0
    costly["solver"] = "kvaerno5"
    both = pd.concat([costly, table([0.5, 0.5, 0.001])])
    assert _choice("step", {"step": 0.01}, both).work == 30.0


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"goals": ["speed"]}, "unknown goal 'speed'"),
        ({"accuracy": 2.0}, r"accuracy is 2\.0"),
        ({"goals": []}, "there is no goal"),
        ({"change": 0.0}, r"change is 0\.0"),
    ],
)
def test_what_is_invalid_is_refused_before_anything_is_solved(problem, setting, words):
    with pytest.raises(SettingError, match=words):
        gradaudit.recommend(problem, **setting)
