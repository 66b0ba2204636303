"""Switches that change and change back at once, beside another event, in closed form.

y' = u - y, where u is a pulse of area r that one choice with two zeros makes, has
dy/dr = exp(begin - t) behind the pulse, as long as the pulse is short.
"""

from __future__ import annotations

from contextlib import nullcontext, suppress

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model, TranslationError

METHODS = pytest.mark.parametrize("method", ["taylor", "collocation"])
BEGIN = 0.4
TIMES = np.array([0.2, 1.0])


def pulsed(width, **when):
    end = BEGIN + width
    return Model(
        name="pulsed",
        vector_field=lambda t, y, p: (
            jnp.where((t - BEGIN) * (end - t) > 0.0, p / (end - BEGIN), 0.0) - y
        ),
        states={"y": (1.0, "")},
        parameters={"r": (1.3, "")},
        t_end=1.0,
        events={name: Event(when=function) for name, function in when.items()},
    )


def oscillating(margin):
    """y is the integral of a switch at 1 + margin, not reached by x = sin(2 t) if that is > 0."""
    return Model(
        name="oscillating",
        vector_field=lambda t, y, p: jnp.array(
            [2.0 * y[1], -2.0 * y[0], jnp.where(y[0] > 1.0 + margin, 1e4 * p[0], p[0])]
        ),
        states={"x": (0.0, ""), "v": (1.0, ""), "y": (0.0, "")},
        parameters={"r": (1.3, "")},
        t_end=1.0,
        events={"other": Event(when=lambda t, y, p: t - 0.1 * y[1] - 0.6)},
    )


def follows(model, exact, method, *, required):
    """The last derivative is certified and right; or it is not certified, if not `required`."""
    with nullcontext() if required else suppress(TranslationError):
        found = gradaudit.reference(model, TIMES, method=method)
        if not required and found.status.startswith("uncertified: "):
            assert not np.any(np.nan_to_num(found.digits.per_entry[1]) > 0.0)
            return
        assert found.status == "ok"
        assert found.sensitivities[1, -1, -1] == pytest.approx(exact, rel=1e-12)


@pytest.mark.sampled(3)
@METHODS
@pytest.mark.parametrize("width", [1e-3, 1e-5, 1e-7, 1e-9, 1e-12, 1e-14, 1e-16])
def test_an_undeclared_switch_with_two_close_zeros_is_refused(width, method):
    model = pulsed(width, other=lambda t, y, p: t - 0.7)
    with pytest.raises(TranslationError, match=r"'gt' switches branches at t = 0\.(4|39999)"):
        gradaudit.reference(model, TIMES, method=method)


@pytest.mark.sampled(5)
@METHODS
@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("width", [1e-7, 1e-8, 1e-10, 1e-11, 1e-14])
def test_an_event_at_one_of_two_close_zeros_is_not_enough(width, share, method):
    when = BEGIN + share * width
    model = pulsed(width, one=lambda t, y, p: t - when)
    with pytest.raises(
        TranslationError, match=r"'gt' switches branches at t = 0\.[34]|too close to there"
    ):
        gradaudit.reference(model, TIMES, method=method)


@pytest.mark.sampled(3)
@METHODS
@pytest.mark.parametrize("width", [1e-7, 1e-10, 1e-14])
def test_an_event_between_two_close_zeros_certifies_nothing(width, method):
    """The mode that begins within the pulse may be found to be the wrong one only later."""
    model = pulsed(width, between=lambda t, y, p: t - BEGIN - 0.5 * width)
    with suppress(TranslationError):
        found = gradaudit.reference(model, TIMES, method=method)
        assert found.status.startswith("uncertified")
        assert not np.any(np.nan_to_num(found.digits.per_entry) > 0.0)


@pytest.mark.sampled(3)
@METHODS
@pytest.mark.parametrize("before", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("width", [1e-9, 1e-13])
def test_thresholds_of_a_state_beside_an_event_are_not_the_event(width, before, method):
    """x = a t is between two thresholds for a moment, of which an event is before the first."""
    model = Model(
        name="passing",
        vector_field=lambda t, y, p: jnp.array(
            [
                p[0] + 0.0 * t,
                jnp.where((y[0] - p[1]) * (p[1] + width - y[0]) > 0.0, p[2] / width, 0.0) - y[1],
            ]
        ),
        states={"x": (0.0, ""), "y": (1.0, "")},
        parameters={"a": (1.0, ""), "c": (0.5, ""), "d": (0.5, "")},
        t_end=1.0,
        events={"one": Event(when=lambda t, y, p: y[0] - p[1] + before * width)},
    )
    with pytest.raises(
        TranslationError, match=r"'gt' switches branches at t = 0\.5|too close to there"
    ):
        gradaudit.reference(model, TIMES, method=method)


@pytest.mark.sampled(3)
@METHODS
@pytest.mark.parametrize("power", [3, 5, 9])
def test_a_flat_zero_is_a_switch(power, method):
    model = Model(
        name="flat",
        vector_field=lambda t, y, p: jnp.where((t - BEGIN) ** power > 0.0, p, 0.0) - y,
        states={"y": (1.0, "")},
        parameters={"r": (1.3, "")},
        t_end=1.0,
        events={"other": Event(when=lambda t, y, p: t - 0.7)},
    )
    with pytest.raises(TranslationError, match=r"'gt' switches branches at t = 0\.(4|3)"):
        gradaudit.reference(model, TIMES, method=method)


@pytest.mark.sampled(2)
@METHODS
def test_a_switch_whose_two_close_zeros_are_events_is_followed(method):
    width = 1e-7
    end = BEGIN + width
    model = pulsed(width, on=lambda t, y, p: t - BEGIN, off=lambda t, y, p: end - t)
    found = gradaudit.reference(model, TIMES, method=method)
    assert found.status == "ok"
    exact = np.expm1(end - BEGIN) / (end - BEGIN) * np.exp(BEGIN - 1.0)
    assert found.sensitivities[1, 0, 0] == pytest.approx(exact, rel=1e-12)


@pytest.mark.sampled(27)
@METHODS
@pytest.mark.parametrize("width", [1e-9, 1e-8, 2e-9, 1e-10, 5e-11, 1e-11, 5e-12])
def test_a_pulse_between_two_events_is_followed_or_not_certified(width, method):
    """At its begin, the boundary of a pulse is 0; a look ahead may end behind the pulse."""
    end = BEGIN + width
    model = pulsed(width, on=lambda t, y, p: t - BEGIN, off=lambda t, y, p: t - end)
    exact = np.expm1(end - BEGIN) / (end - BEGIN) * np.exp(BEGIN - 1.0)
    follows(model, exact, method, required=width >= 1e-9)


@pytest.mark.sampled(49)
@METHODS
@pytest.mark.parametrize("width", [1e-9, 1e-8, 1e-10, 1e-11])
@pytest.mark.parametrize("speed", [1e-4, 1e-2, 1.0, 1e-6, 1e-7, 1e-8])
def test_a_state_between_thresholds_of_two_events_is_followed_or_not_certified(
    speed, width, method
):
    """x passes two thresholds at 0.5, which double precision may not tell apart."""
    apart = speed * width
    model = Model(
        name="passing",
        vector_field=lambda t, y, p: jnp.array(
            [
                p[0] + 0.0 * t,
                jnp.where((y[0] - 0.5) * (0.5 + apart - y[0]) > 0.0, p[1] / width, 0.0) - y[1],
            ]
        ),
        states={"x": (0.5 - 0.5 * speed, ""), "y": (1.0, "")},
        parameters={"a": (speed, ""), "d": (0.5, "")},
        t_end=1.0,
        events={
            "on": Event(when=lambda t, y, p: y[0] - 0.5),
            "off": Event(when=lambda t, y, p: y[0] - 0.5 - apart),
        },
    )
    exact = np.expm1(width) / width * np.exp(-0.5)
    follows(model, exact, method, required=width >= 1e-9 and speed >= 1e-2)


@pytest.mark.sampled(4)
@METHODS
@pytest.mark.parametrize("margin", [-1e-3, -1e-6, -1e-10, -1e-13, -1e-15, 0.0, 1e-15])
def test_a_threshold_of_a_state_that_is_passed_for_a_moment_is_refused(margin, method):
    with pytest.raises(TranslationError, match=r"'gt' switches branches at t = 0\.7"):
        gradaudit.reference(oscillating(margin), TIMES, method=method)


@pytest.mark.sampled(2)
@METHODS
@pytest.mark.parametrize("margin", [1e-11, 1e-6])
def test_a_threshold_of_a_state_that_is_just_missed_switches_nothing(margin, method):
    found = gradaudit.reference(oscillating(margin), TIMES, method=method)
    assert found.status == "ok"
    np.testing.assert_allclose(found.sensitivities[:, 2, 0], TIMES, rtol=1e-13)


@pytest.mark.sampled(2)
@METHODS
def test_a_switch_between_what_is_always_equal_is_told_as_such(method):
    """max(a - b, 0) has one derivative with respect to an initial value for a > b only."""
    model = Model(
        name="twins",
        vector_field=lambda t, y, p: p[0] * jnp.maximum(y[0] - y[1], 0.0) - y,
        states={"a": (1.0, ""), "b": (1.0, "")},
        parameters={"k": (1.3, "")},
        t_end=1.0,
        events={"other": Event(when=lambda t, y, p: t - 0.7)},
    )
    with pytest.raises(TranslationError, match="what the primitive 'max' compares is equal along"):
        gradaudit.reference(model, TIMES, method=method)
