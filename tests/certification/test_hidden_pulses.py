"""Pulses in time that no step and no look meets: their formula tells where they are."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

import gradaudit
from gradaudit import Model
from gradaudit.certification.hidden_pulses import pulses
from gradaudit.certification.pulse_terms import Path

CENTRES = np.array([11.1, 22.2, 37.77])


def model(rate, t_end=100.0):
    return Model(
        name="pulse",
        vector_field=lambda t, y, p: p[0] * rate(t, p[1], p[2]) - 0.1 * y,
        states={"y": (0.0, "")},
        parameters={"b": (1.0, ""), "c": (37.77, ""), "w": (1e-6, "")},
        t_end=t_end,
    )


PULSES = {
    "gauss": lambda t, c, w: jnp.exp(-(((t - c) / w) ** 2)),
    "expanded": lambda t, c, w: jnp.exp(-(t * t - 2 * t * c + c * c) / w**2),
    "sech": lambda t, c, w: 1.0 - jnp.tanh((t - c) / w) ** 2,
    "train": lambda t, c, w: jnp.exp((jnp.cos(t - c) - 1.0) / w**2),
    "several": lambda t, c, w: jnp.sum(jnp.exp(-(((t - CENTRES) / w) ** 2))),
    "since": lambda t, c, w: jnp.exp(-(((jnp.where(t < 30.0, t, t - 30.0) - 7.77) / w) ** 2)),
    "laplace": lambda t, c, w: jnp.exp(-jnp.abs(t - c) / w),
    "box": lambda t, c, w: jnp.where(jnp.abs(t - c) < w, 1.0, 0.0),
    "placed": lambda t, c, w: jnp.exp(-jnp.sum((jnp.zeros(2).at[0].set(t - c) / w) ** 2)),
}
WIDE = {
    "gauss": lambda t, c, w: jnp.exp(-((t - c) ** 2)),
    "algebraic": lambda t, c, w: 1.0 / (1.0 + ((t - c) / w) ** 2),
    "step": lambda t, c, w: jnp.tanh((t - c) / w),
    "oscillation": lambda t, c, w: jnp.sin(t / w),
    "root": lambda t, c, w: jnp.sqrt((t - c) ** 2 + w),
    "no_time": lambda t, c, w: w,
}


LONG = [0.0], [100.0]
"""One step over the whole window."""


@pytest.mark.parametrize("name", PULSES)
def test_a_pulse_is_found_at_its_centre(name):
    found = pulses(model(PULSES[name])).unseen(*LONG, 100.0)
    assert found is not None
    centres = {
        "several": CENTRES,
        "train": 37.77 + 2 * np.pi * np.arange(-6, 10),
        "since": np.array([7.77, 37.77]),
    }
    assert np.abs(found - centres.get(name, 37.77)).min() < 2e-6


@pytest.mark.parametrize("name", WIDE)
def test_what_leaves_a_trace_is_none(name):
    """Whether that is seen is for the inspection of the steps to say."""
    assert pulses(model(WIDE[name])).unseen(*LONG, 100.0) is None


def test_a_pulse_is_unseen_where_the_step_there_is_longer():
    found = pulses(model(PULSES["gauss"]))
    centre, distance = float(found.centres[0]), float(found.distances[0])
    assert found.sides[0].all()
    assert abs(centre - 37.77) < 1e-12
    assert 4.8e-6 < distance < 2.4 * 4.8e-6  # exp(-4.8^2) = 1e-10, and of the distances the next
    short = np.arange(37.76999, 37.77001, 1e-6), np.full(21, 1e-6)
    assert found.unseen(*short, 100.0) is None
    at_centre = [0.0, 37.77, 37.770001], [37.77, 1e-6, 50.0]  # as an event there makes them
    assert found.unseen(*at_centre, 100.0) == pytest.approx(37.77)


def test_a_pulse_between_two_events_is_seen_by_a_step_from_one_to_the_other():
    """And the half that an event cuts off by a step that begins there."""
    box = pulses(model(PULSES["box"]))
    events = np.array([0.0, 37.77 - 1e-6, 37.77 + 1e-6])
    assert box.unseen(events, np.diff(events, append=100.0), 100.0) is None
    assert box.unseen([0.0, 37.77 + 1e-6], [37.77 + 1e-6, 60.0], 100.0) is not None
    half = pulses(model(lambda t, c, w: jnp.where(t < c, 0.0, jnp.exp(-(t - c) / w))))
    starts = np.array([0.0, 37.77, 37.77 + 2e-6, 37.77 + 1e-5, 37.77 + 1e-4])
    assert half.unseen(starts, np.diff(starts, append=100.0), 100.0) is None
    assert half.unseen([0.0, 37.77], [37.77, 62.23], 100.0) == pytest.approx(37.77)


OF_STATES = {
    # of t, the state y (that grows from 0 to 1), a constant state k = 1 and the width w
    "state": lambda t, y, k, w: jnp.exp(-(((y - 0.3777) / w) ** 2)),
    "wave": lambda t, y, k, w: jnp.exp(-((jnp.sin(3.0 * y) / w) ** 2)) * k,
    "window": lambda t, y, k, w: jnp.exp(-(((t - 37.77) / (k * w)) ** 2)),
    "product": lambda t, y, k, w: jnp.exp(jnp.log(k) - ((t - 37.77) / w) ** 2),
    "box": lambda t, y, k, w: (
        (1.0 + jnp.tanh((y - 0.3777) / w)) * (1.0 - jnp.tanh((y - 0.3777) / w))
    ),
}


def of_states(rate, w):
    return Model(
        name="pulse",
        vector_field=lambda t, y, p: jnp.stack(
            [p[1] + 0.0 * y[0], 0.0 * y[1], p[0] * rate(t, y[0], y[1], w)]
        ),
        states={"y": (-1e-3, ""), "k": (1.0, ""), "z": (0.0, "")},
        parameters={"b": (1.0, ""), "v": (0.01, "")},
        t_end=100.0,
    )


@pytest.mark.sampled(7)
@pytest.mark.parametrize("method", ["taylor", "collocation"])
@pytest.mark.parametrize("name", OF_STATES)
def test_a_hidden_pulse_in_a_state_is_not_certified(name, method):
    """Of width 1e-8 of the path: S_b = 0 had 14 digits."""
    found = gradaudit.reference(of_states(OF_STATES[name], 1e-8), method=method)
    assert found.status.startswith("uncertified: about t = ")
    assert not found.digits > 0.0


def test_the_rounding_of_a_conserved_sum_is_no_pulse():
    """a + b - 1 is 0, or one unit in the last place."""

    def rates(t, y, p):
        a, b, c = y
        flow = p[0] * b - p[1] * a * jnp.exp(-a)
        return jnp.stack([flow, -flow, (a + b - 1.0) + p[0] * (a - c)])

    summed = Model(
        name="summed",
        vector_field=rates,
        states={"a": (0.07, ""), "b": (0.93, ""), "c": (0.1, "")},
        parameters={"k": (1e-3, ""), "l": (0.04, "")},
        t_end=100.0,
    )
    times = np.linspace(0.0, 100.0, 4000)
    a = 0.07 + 0.001 * times
    path = Path(times, np.stack([a, 1.0 - a, 0.1 + 0.0 * a], axis=1))
    assert pulses(summed, path).unseen(*LONG, 100.0) is None


@pytest.mark.slow
@pytest.mark.parametrize("width", [1e-1, 1e-2, 1e-3, 1e-5, 1e-7])
def test_a_pulse_in_a_state_is_right_or_not_certified(width):
    """Both ends are past the pulse, whose area is that of a normal density."""
    found = gradaudit.reference(of_states(OF_STATES["state"], width), times=[100.0])
    sides = erf((0.999 - 0.3777) / width) + erf((0.3777 + 1e-3) / width)
    exact = 0.5 * sides * width * np.sqrt(np.pi) / 0.01
    right = found.sensitivities[-1, 2, 0] == pytest.approx(exact, rel=1e-9)
    assert right or found.status != "ok"


@pytest.mark.parametrize(
    ("until", "seen"), [(30.0, True), (37.769999, False), (37.77, False), (37.770001, False)]
)
def test_what_of_a_pulse_is_before_the_last_observation_counts(until, seen):
    assert (pulses(model(PULSES["gauss"])).unseen(*LONG, until) is None) is seen


@pytest.mark.parametrize("centre", [0.05, 99.95, 100.0])
def test_a_pulse_near_an_end_of_the_window_is_found(centre):
    given = model(lambda t, c, w: jnp.exp(-(((t - centre) / w) ** 2)))
    assert pulses(given).unseen(*LONG, 100.0) == pytest.approx(centre)


def test_where_a_pulse_is_may_be_computed_in_any_way():
    """By what is no smooth function, as an index or a maximum, of parameters alone."""
    given = model(lambda t, c, w: jnp.exp(-(((t - jnp.maximum(c, 1.0)) / w) ** 2)))
    assert pulses(given).unseen(*LONG, 100.0) == pytest.approx(37.77)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("width", [1e-4, 1e-3])
@pytest.mark.parametrize("method", ["taylor", "collocation"])
def test_a_pulse_that_shows_between_two_looks_is_right_or_not_certified(width, method):
    """S_b = y(100), which the whole area of the pulse gives but for the decay from then on."""
    pulse = model(lambda t, c, w: jnp.exp(-(((t - 37.77) / width) ** 2)) / width)
    found = gradaudit.reference(pulse, times=[100.0], method=method)
    exact = np.sqrt(np.pi) * np.exp(-0.1 * (100.0 - 37.77)) * np.exp((0.05 * width) ** 2)
    right = found.sensitivities[-1, 0, 0] == pytest.approx(exact, rel=1e-9)
    assert right or found.status != "ok"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("method", ["taylor", "collocation"])
def test_a_hidden_pulse_is_not_certified(method):
    """Of width 1e-6 in a window of 100: S = (0, 0, 0) had 15.6 digits, where b S_b = 2e-3."""
    found = gradaudit.reference(model(PULSES["gauss"]), method=method)
    assert found.status.startswith(
        "uncertified: about t = 37.77 the vector field has a kink, a jump"
    )
    assert not found.digits > 0.0
