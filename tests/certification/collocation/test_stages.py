"""Switches at fixed times are stages of one vector field, and only those."""

from __future__ import annotations

import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model
from gradaudit.certification.collocation.stages import stages


def dosed(at=(4.0, 7.0), **more):
    """A fast decay with an input that is switched on and off."""

    def field(t, y, p):
        inflow = jnp.where(t - at[0] < 0.0, 0.0, p[1]) - jnp.where(t < at[1], 0.0, p[1] / 2)
        return inflow - p[0] * y

    events = {f"switch {b}": Event(when=lambda t, y, p, b=b: t - b) for b in at}
    return Model(
        name="dosed",
        vector_field=field,
        states={"y": (2.0, "")},
        parameters={"k": (3.0, ""), "dose": (5.0, "")},
        t_end=10.0,
        events={**events, **more},
    )


def closed_form(k, dose, t):
    y, begin = mpmath.mpf(2), 0
    for end, inflow in ((4, 0), (7, dose), (10, dose / 2)):
        rest = inflow / k
        y = rest + (y - rest) * mpmath.exp(-k * (min(end, t) - begin))
        begin = end
        if t <= end:
            break
    return y


def test_the_reference_is_the_closed_form_on_both_sides_of_each_switch():
    times = np.array([1.0, 4.0, 4.25, 7.0, 7.5, 10.0])
    found = gradaudit.reference(dosed(), times, digits=12.0, method="collocation")
    assert found.status == "ok"
    bounds = found.extended.state_bounds, found.extended.sensitivity_bounds
    with mpmath.workdps(40):
        k, dose = mpmath.mpf(3), mpmath.mpf(5)
        for row, t in enumerate(times):
            wrong = found.extended.states[row, 0] - extended(closed_form(k, dose, t))
            assert abs(wrong) <= bounds[0][row, 0]
            for j, slope in enumerate(slopes(k, dose, t)):
                wrong = found.extended.sensitivities[row, 0, j] - extended(slope)
                # 1e-17 is what the difference quotient is right to
                assert abs(wrong) <= bounds[1][row, 0, j] + 1e-17


def slopes(k, dose, t):
    by_k = mpmath.diff(lambda x: closed_form(x, dose, t), k)
    return by_k, mpmath.diff(lambda x: closed_form(k, x, t), dose)


def extended(number):
    return np.longdouble(mpmath.nstr(number, 25))


@pytest.mark.parametrize(
    "event",
    [
        Event(when=lambda t, y, p: t - p[0]),
        Event(when=lambda t, y, p: y[0] - 1.0),
        Event(when=lambda t, y, p: t - 5.0, jump=lambda t, y, p: 2.0 * y),
        Event(when=lambda t, y, p: t**2 - 2.0),
        Event(when=lambda t, y, p: 3.0 * t - 1.0),
    ],
    ids=["parameter", "state", "jump", "not linear", "no number of float64"],
)
def test_other_events_have_no_stages(event):
    assert stages(dosed(other=event)) is None


@pytest.mark.parametrize(
    "hidden", [lambda t, y: jnp.abs(y - 0.5), lambda t, y: jnp.where(t < 5.0, 0.0, 1.0) + 0.0 * y]
)
def test_a_switch_that_no_event_covers_has_no_stages(hidden):
    whole = dosed()
    model = Model(
        name="hidden",
        vector_field=lambda t, y, p: whole.vector_field(t, y, p) + hidden(t, y),
        states=whole.states,
        parameters=whole.parameters,
        t_end=10.0,
        events=whole.events,
    )
    assert stages(model) is None


def test_a_switch_before_the_window_leaves_one_stage():
    found = stages(dosed(at=(0.0, 20.0)))
    assert found is not None
    assert found.breaks == ()
    assert len(found.modes) == 1


def test_a_switch_that_a_parameter_moves_is_at_a_break_by_chance():
    """At p = 4 it is there, for other p it is not."""
    model = Model(
        name="chance",
        vector_field=lambda t, y, p: jnp.where(t < p[0], 1.0, -1.0) + 0.0 * y,
        states={"y": (0.0, "")},
        parameters={"p": (4.0, "")},
        t_end=10.0,
        events={"chance": Event(when=lambda t, y, p: t - 4.0)},
    )
    assert stages(model) is None
    status = gradaudit.reference(model, method="collocation").status
    assert status.startswith("uncertified: simultaneous_events")
