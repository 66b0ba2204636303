"""Solvers through events: what saltation gets right, and what plain forward AD makes of it."""

from functools import cache

import numpy as np
import pytest

import eventful
import gradaudit
from gradaudit import Event, Model


@cache
def certified(make):
    return gradaudit.reference(make())


def errors(make, method, *, solver="tsit5", rtol=1e-8):
    """Largest error of S over the largest entry, and the error at the end."""
    reference = certified(make)
    result = gradaudit.sensitivities(make(), method=method, solver=solver, rtol=rtol)
    assert result.status == "ok"
    error = np.abs(result.sensitivities - reference.sensitivities)
    scale = np.max(np.abs(reference.sensitivities), axis=(0, 1))
    return np.max(error / scale), np.max(error[-1] / scale), result


@pytest.mark.slow
@pytest.mark.parametrize("make", eventful.MODELS)
def test_saltation_converges_to_the_reference(make):
    """To 1e-7 at rtol 1e-8: errors grow by a small factor at each of the few events."""
    worst, _, result = errors(make, "saltation")
    assert worst < 1e-7
    assert len(result.events) >= 1


@pytest.mark.slow
@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "make", [eventful.switch_in_time, eventful.bouncing_ball, eventful.switch_in_state]
)
def test_plain_forward_ad_is_wrong_at_any_tolerance(make):
    for rtol in (1e-4, 1e-8):
        _, at_end, _ = errors(make, "forward_ad", rtol=rtol)
        assert at_end > 0.5


@pytest.mark.slow
def test_an_implicit_solver_passes_events_too():
    worst, _, _ = errors(eventful.integrate_and_fire, "saltation", solver="kvaerno5")
    assert worst < 1e-6


@pytest.mark.slow
def test_the_indicator_of_what_is_not_lifted_is_no_number_from_event_to_event_either():
    result = gradaudit.sensitivities("bouncing_ball", method="forward_sensitivity_partial")
    assert result.status == "ok"
    assert np.isnan(result.indicator)


@pytest.mark.slow
def test_the_steps_of_all_legs_count():
    """Some fifty steps a leg, and three legs: each of them alone is within the limit."""
    whole = gradaudit.sensitivities("bouncing_ball", rtol=1e-3)
    allowed = int(whole.stats["steps"]) - 1
    enough = gradaudit.sensitivities("bouncing_ball", rtol=1e-3, max_steps=allowed + 1)
    assert enough.status == "ok"
    stopped = gradaudit.sensitivities("bouncing_ball", rtol=1e-3, max_steps=allowed)
    assert stopped.status == "max_steps"


@pytest.mark.slow
def test_the_taylor_method_knows_saltation():
    worst, _, _ = errors(eventful.bouncing_ball, "taylor", rtol=1e-12)
    assert worst < 1e-10


@pytest.mark.slow
def test_a_switch_that_is_not_declared_is_a_status():
    import jax.numpy as jnp

    model = Model(
        name="undeclared",
        vector_field=lambda t, y, p: jnp.where(t < 1.0, 1.0, 0.0) * p,
        states={"y": (0.0, "1")},
        parameters={"p": (1.0, "s")},
        t_end=2.0,
        events={"elsewhere": Event(when=lambda t, y, p: t - 1.5)},
    )
    result = gradaudit.sensitivities(model, method="saltation")
    assert result.status == "undeclared_switch"
    assert np.all(np.isnan(result.sensitivities))


@pytest.mark.parametrize("share", [3e-10, 1e-9])
def test_a_jump_too_soon_behind_the_start_is_not_lost_in_silence(share):
    model = Model(
        name="early",
        vector_field=lambda t, y, p: 0.0 * y + p[1],
        states={"y": (1.0, "")},
        parameters={"when": (share, ""), "rate": (1.0, "")},
        t_end=1.0,
        events={
            "doubled": Event(when=lambda t, y, p: t - p[0], direction=1, jump=lambda t, y, p: 2 * y)
        },
    )
    result = gradaudit.sensitivities(model, method="saltation", times=np.array([0.0, 1.0]))
    assert result.status == "lost_event"


def dosed(when):
    return Model(
        name="dosed",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"y": (1.0, "")},
        parameters={"k": (0.7, ""), "dose": (0.5, "")},
        t_end=1.0,
        events={"dose": Event(when=when, jump=lambda t, y, p: y + p[1])},
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("when", "aside"),
    [
        (lambda t, y, p: t - 0.4, 8e-13),
        (lambda t, y, p: t - 0.4, 1e-14),
        (lambda t, y, p: (t + 1e3) - 1000.4, 8e-13),
    ],
    ids=["8e-13", "1e-14", "rounded"],
)
def test_an_observation_just_before_an_event_is_made_before_it(when, aside):
    times = np.array([0.4 - aside, 0.4, 0.4 + aside])
    found = gradaudit.sensitivities(dosed(when), times=times, method="saltation", rtol=1e-8)
    assert found.status == "ok"
    np.testing.assert_allclose(found.sensitivities[:, 0, 1], [0.0, 1.0, 1.0], atol=1e-9)
