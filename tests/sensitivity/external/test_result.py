"""What another tool gives, as the result of every method; and methods that cannot be used."""

import numpy as np
import pytest

import gradaudit
from gradaudit.sensitivity.external.dispatch import refusal
from gradaudit.sensitivity.external.result import outcome
from gradaudit.sensitivity.request import Request
from gradaudit.solvers.options import SolveOptions

OPTIONS = SolveOptions(rtol=1e-6, atol=1e-9)
MODEL = gradaudit.load_model("logistic")
COMPONENTS = len(MODEL.states) + len(MODEL.integrands)
REQUEST = Request(model=MODEL, times=np.array([1.0, 2.0]), options=OPTIONS)
STATES = np.arange(2.0 * COMPONENTS).reshape(2, COMPONENTS)
TANGENTS = np.arange(2.0 * COMPONENTS * MODEL.m).reshape(2, COMPONENTS, MODEL.m)


def result(states=STATES, tangents=TANGENTS, status="ok", **stats):
    return outcome(REQUEST, states=states, tangents=tangents, status=status, stats=stats)


def test_tangents_are_scaled_back_to_the_parameters():
    found = result(steps=7.0)
    assert found.status == "ok"
    np.testing.assert_array_equal(found.states, STATES[:, : MODEL.n])
    np.testing.assert_array_equal(found.integrals, STATES[:, MODEL.n :])
    by_parameter = TANGENTS / MODEL.parameter_scale
    np.testing.assert_array_equal(found.sensitivities, by_parameter[:, : MODEL.n])
    np.testing.assert_array_equal(found.integral_sensitivities, by_parameter[:, MODEL.n :])


def test_counts_that_a_tool_does_not_give_are_nan():
    found = result(steps=7.0)
    assert found.stats["steps"] == 7.0
    assert np.isnan(found.stats["rejected"])
    assert np.isnan(found.indicator)


@pytest.mark.parametrize(
    "arrays",
    [
        {"states": np.where(STATES == 1.0, np.nan, STATES)},
        {"tangents": np.where(TANGENTS == 2.0, np.inf, TANGENTS)},
        {"tangents": None},
        {"states": None, "tangents": None},
    ],
)
def test_an_array_that_is_missing_or_not_finite_is_a_failure(arrays):
    found = result(**arrays)
    assert found.status == "non_finite"
    assert np.isnan(found.states).all()
    assert np.isnan(found.sensitivities).all()


def test_a_failure_keeps_its_status_and_its_times():
    found = result(status="max_steps", seconds=0.5)
    assert found.status == "max_steps"
    assert found.stats["seconds"] == 0.5
    assert np.isnan(found.states).all()


def test_a_method_for_smooth_models_is_refused_where_the_state_jumps():
    ball = gradaudit.load_model("bouncing_ball")
    request = Request(model=ball, times=np.array([1.0]), options=OPTIONS)
    found = refusal(request, "forward_ad")
    assert found is not None
    assert found.status == "has_jumps"
    assert found.states.shape == (1, ball.n)
    assert refusal(REQUEST, "forward_ad") is None
