"""Reverse mode: equal to forward AD where it transposes it, and failing where it must.

The discrete adjoint transposes the very steps of forward AD, so that they agree to 1e-11 (rounding,
and what it does to the step sizes); see test_theorems.py for the default way to observe.
"""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model, SettingError

LOGISTIC = gradaudit.load_model("logistic")
TIMES = np.array([0.0, 2.0, 5.0])


def _relative(computed, certified):
    """Error over each parameter's largest sensitivity, the worst of all."""
    return np.max(np.abs(computed - certified) / np.max(np.abs(certified), axis=(0, 1)))


@pytest.mark.parametrize(
    ("solver", "settings"),
    [
        ("heun", {"observe": "clip", "pid": (0.2, 0.4, 0.0)}),
        ("kvaerno3", {"observe": "interpolant", "root_tolerance": 0.1}),
    ],
)
def test_discrete_adjoint_is_forward_ad(solver, settings):
    run = {"solver": solver, "rtol": 1e-4, "times": TIMES, **settings}
    forward = gradaudit.sensitivities(LOGISTIC, method="forward_ad", **run)
    reverse = gradaudit.sensitivities(LOGISTIC, method="discrete_adjoint", **run)
    assert reverse.status == "ok"
    assert reverse.stats["steps"] == forward.stats["steps"]
    np.testing.assert_allclose(reverse.states, forward.states, rtol=1e-11)
    assert _relative(reverse.sensitivities, forward.sensitivities) < 1e-11
    assert _relative(reverse.integral_sensitivities, forward.integral_sensitivities) < 1e-11


def test_rejected_steps_that_are_not_finite_leave_no_trace():
    """The first step is of 0.01, so that Heun's second stage is the root of a negative number."""
    draining = Model(
        name="draining",
        vector_field=lambda t, y, p: -p[0] * (jnp.sqrt(y) - p[1]),
        states={"y": (1.0, "m")},
        parameters={"k": (2000.0, "1/s"), "rest": (0.3, "m0.5")},
        t_end=0.02,
    )
    run = {"solver": "heun", "rtol": 1e-4, "times": [0.001, 0.02], "observe": "interpolant"}
    forward = gradaudit.sensitivities(draining, method="forward_ad", **run)
    reverse = gradaudit.sensitivities(draining, method="discrete_adjoint", **run)
    assert forward.stats["rejected"] > 0
    assert reverse.status == "ok"
    assert _relative(reverse.sensitivities, forward.sensitivities) < 1e-11


DECAY = Model(
    name="decay",
    vector_field=lambda t, y, p: -p[0] * (y - jnp.cos(t)),
    states={"y": (2.0, "mM")},
    parameters={"k": (0.5, "1/s"), "y0": (2.0, "mM")},
    initial_state=lambda p: p[1:],
    t_end=6.0,
)


def test_backsolve_converges_where_the_model_remembers_its_past():
    """Two of three digits a decade of the tolerance; the initial state's parameter included."""
    times = [3.0, 6.0]
    exact = gradaudit.reference(DECAY, times=times)
    loose, tight = (
        gradaudit.sensitivities(DECAY, method="backsolve_adjoint", rtol=rtol, times=times)
        for rtol in (1e-4, 1e-8)
    )
    assert exact.status == loose.status == tight.status == "ok"
    error, finer = (_relative(r.sensitivities, exact.sensitivities) for r in (loose, tight))
    assert error < 1e-2
    assert finer < error / 30
    assert finer < 1e-6
    assert _relative(tight.integral_sensitivities, exact.integral_sensitivities) < 1e-6


def test_backsolve_fails_where_the_model_forgets_its_past():
    """Backwards the state leaves the solution and is infinite before the next observation.

    Forwards there is nothing to it: other solutions run into this one.
    """
    forgetful = replace(
        DECAY,
        vector_field=lambda t, y, p: -p[0] * (y**3 - jnp.cos(t)),
        parameters={"k": (100.0, "1/s"), "y0": (2.0, "mM")},
    )
    run = {"rtol": 1e-6, "times": [3.0, 6.0]}
    forwards = gradaudit.sensitivities(forgetful, method="taylor", **run)
    failed = gradaudit.sensitivities(forgetful, method="backsolve_adjoint", **run)
    assert forwards.status == "ok"
    assert failed.status == "non_finite"
    assert np.all(np.isnan(failed.sensitivities))


def test_a_solve_that_is_not_given_the_steps_is_a_status():
    run = {"method": "discrete_adjoint", "solver": "heun", "observe": "interpolant", "times": TIMES}
    result = gradaudit.sensitivities(LOGISTIC, rtol=1e-4, max_steps=5, **run)
    assert result.status == "max_steps"
    assert np.all(np.isnan(result.sensitivities))


@pytest.mark.parametrize("method", ["discrete_adjoint", "backsolve_adjoint", "complex_step"])
def test_a_state_that_jumps_is_refused(method):
    jump = Event(when=lambda t, y, p: y[0] - 1.0, jump=lambda t, y, p: y / 2.0)
    jumping = replace(LOGISTIC, events={"harvest": jump})
    result = gradaudit.sensitivities(jumping, method=method, times=TIMES)
    assert result.status == "has_jumps"
    assert result.sensitivities.shape == (3, 1, 2)
    assert np.all(np.isnan(result.sensitivities))


def test_backsolve_has_no_equal_steps():
    with pytest.raises(SettingError, match="has no steps"):
        gradaudit.sensitivities(LOGISTIC, method="backsolve_adjoint", steps=10)
