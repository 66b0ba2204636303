"""What lies close to an event: switches, other events and observations, in closed form.

y' = u - y, where u is a pulse of area r, adds r exp(-t) to y from soon after the pulse on; and a
dose d of a decay adds d exp(-k (t - a)) from a on.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model, TranslationError
from gradaudit.certification.discrete_modes import CrowdedError, Reader
from gradaudit.errors import ModelWarning

METHODS = pytest.mark.parametrize("method", ["taylor", "collocation"])
A = 0.4


def pulsed(begin, end, **when):
    """A pulse of area r between two times behind a, and events."""
    height = 1.0 / (end - begin)
    return Model(
        name="pulsed",
        vector_field=lambda t, y, p: (
            jnp.where((t > p[1] + p[2]) & (t < p[1] + p[3]), height * p[0], 0.0) - y
        ),
        states={"y": (1.0, "")},
        parameters={"r": (1.3, ""), "a": (A, ""), "begin": (begin, ""), "end": (end, "")},
        t_end=1.0,
        events={name: Event(when=function) for name, function in when.items()},
    )


def dosed(time, *, moved=False):
    """A decay with a dose at a time, which is a parameter if it is moved."""
    return Model(
        name="dosed",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"y": (1.0, "")},
        parameters={"k": (0.7, ""), "dose": (0.5, "")} | ({"time": (time, "")} if moved else {}),
        t_end=1.0,
        events={
            "dose": Event(
                when=(lambda t, y, p: t - p[2]) if moved else (lambda t, y, p: t - time),
                jump=lambda t, y, p: y + p[1],
            )
        },
    )


@pytest.mark.sampled(3)
@METHODS
@pytest.mark.parametrize(
    ("begin", "end"), [(2e-10, 6e-10), (2e-13, 6e-13), (-6e-10, -2e-10), (-6e-12, -5e-12)]
)
def test_an_undeclared_pulse_beside_an_event_is_refused(begin, end, method):
    model = pulsed(begin, end, other=lambda t, y, p: t - p[1])
    with pytest.raises(TranslationError, match=r"'gt' switches branches at t = 0\.[34]"):
        gradaudit.reference(model, np.array([0.2, 1.0]), method=method)


def test_a_pulse_that_begins_at_an_event_and_ends_undeclared_is_refused():
    model = Model(
        name="half",
        vector_field=lambda t, y, p: jnp.where((t > A) & (t < A + 4e-10), p / 4e-10, 0.0) - y,
        states={"y": (1.0, "")},
        parameters={"r": (1.3, "")},
        t_end=1.0,
        events={"begin": Event(when=lambda t, y, p: t - A)},
    )
    with pytest.raises(TranslationError, match=r"'lt' switches branches at t = 0\.4000000004"):
        gradaudit.reference(model, np.array([0.2, 1.0]), method="taylor")


def test_a_pulse_between_events_as_close_as_the_look_ahead_is_not_skipped():
    """The second event is where a look of 1e-9 of the window ends."""
    end = A + 1e-9
    model = Model(
        name="short",
        vector_field=lambda t, y, p: jnp.where((t > A) & (t < end), p / 1e-9, 0.0) - y,
        states={"y": (1.0, "")},
        parameters={"r": (1.3, "")},
        t_end=1.0,
        events={
            "begin": Event(when=lambda t, y, p: t - A),
            "end": Event(when=lambda t, y, p: t - end),
        },
    )
    found = gradaudit.reference(model, np.array([0.2, 1.0]), method="taylor")
    assert found.status == "ok"
    width = end - A
    exact = np.expm1(width) / 1e-9 * np.exp(A - 1.0)
    assert found.sensitivities[1, 0, 0] == pytest.approx(exact, rel=1e-12)


@pytest.mark.sampled(4)
@METHODS
@pytest.mark.parametrize("width", [5e-12, 1e-14])
def test_events_that_enclose_a_pulse_too_short_to_be_seen_are_told(width, method):
    model = pulsed(
        0.0, width, on=lambda t, y, p: t - p[1] - p[2], off=lambda t, y, p: t - p[1] - p[3]
    )
    found = gradaudit.reference(model, np.array([0.2, 1.0]), method=method)
    assert found.status.startswith("uncertified: ")
    assert np.nanmax(found.digits.per_entry[1]) == 0.0


@pytest.mark.sampled(4)
@METHODS
@pytest.mark.parametrize("aside", [8e-13, 1e-13])
def test_an_observation_just_before_an_event_is_made_before_it(aside, method):
    found = gradaudit.reference(dosed(A), np.array([A - aside, A, A + aside]), method=method)
    assert found.status == "ok"
    np.testing.assert_allclose(found.sensitivities[:, 0, 1], [0.0, 1.0, 1.0], atol=1e-12)


@pytest.mark.slow
@METHODS
def test_before_an_event_that_moves_its_size_has_no_effect(method):
    found = gradaudit.reference(dosed(A, moved=True), np.array([A - 8e-13, 1.0]), method=method)
    assert found.status.startswith("uncertified: at t = 0.4 derivatives with respect to 'time'")
    assert found.sensitivities[0, 0, 1] == 0.0


@METHODS
def test_an_event_just_behind_the_window_does_not_happen(method):
    times = np.array([0.2, 1.0])
    with pytest.warns(ModelWarning, match="'dose' does not happen"):
        found = gradaudit.reference(dosed(1.0 + 8e-13), times, method=method)
    assert found.status == "ok"
    assert not found.sensitivities[:, 0, 1].any()


@METHODS
def test_doses_that_are_closer_than_what_is_resolved_are_told(method):
    """Taken for one time, they are wrong by 300 * 8e-13 of the derivative."""
    second = A + 8e-13
    model = Model(
        name="doses",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"y": (1.0, "")},
        parameters={"k": (300.0, ""), "dose": (0.5, "")},
        t_end=1.0,
        events={
            "one": Event(when=lambda t, y, p: t - A, jump=lambda t, y, p: y + p[1]),
            "two": Event(when=lambda t, y, p: t - second, jump=lambda t, y, p: y + p[1]),
        },
    )
    found = gradaudit.reference(model, np.array([0.2, 0.41]), method=method)
    assert "the event 'two' follows by less than 1e-11 of the window" in found.status


def test_a_mode_is_found_between_switches_and_refused_where_it_cannot_be():
    for width, crowded in ((1e-11, False), (3e-16, True)):
        end = A + width
        reader = Reader(
            Model(
                name="case",
                vector_field=lambda t, y, p, end=end: jnp.where((t > A) & (t < end), p, 0.0) - y,
                states={"y": (1.0, "")},
                parameters={"p": (1.0, "")},
                t_end=1.0,
                events={"begin": Event(when=lambda t, y, p: t - A)},
            )
        )
        z = np.array([1.0, 0.0])
        between = reader.numbers(A + 0.5 * width, z)[1]
        if crowded:
            with pytest.raises(CrowdedError, match="switches more than once"):
                reader.mode_behind(A - 1e-16, z)
        else:
            assert reader.mode_behind(A, z) == between


@pytest.mark.sampled(3)
@METHODS
@pytest.mark.parametrize("direction", [-1, 0, 1])
def test_a_threshold_is_crossed_there_and_back_between_observations(direction, method):
    """sin(pi t) crosses sin(b) at b / pi and at 1 - b / pi; a decay gets a dose, at one or both."""
    threshold = float(np.sin(1.2))
    model = Model(
        name="hump",
        vector_field=lambda t, y, p: jnp.array([jnp.pi * y[1], -jnp.pi * y[0], -y[2]]),
        states={"s": (0.0, ""), "c": (1.0, ""), "y": (1.0, "")},
        parameters={"dose": (0.5, "")},
        t_end=1.0,
        events={
            "dose": Event(
                when=lambda t, y, p: y[0] - threshold,
                direction=direction,
                jump=lambda t, y, p: y.at[2].add(p[0]),
            )
        },
    )
    found = gradaudit.reference(model, np.array([0.2, 1.0]), method=method)
    assert found.status == "ok"
    up, down = 1.2 / np.pi, 1.0 - 1.2 / np.pi
    times = {-1: [down], 0: [up, down], 1: [up]}[direction]
    exact = sum(np.exp(time - 1.0) for time in times)
    assert found.sensitivities[1, 2, 0] == pytest.approx(exact, rel=1e-13)
