"""Pulses in time that no step and no look meets: their formula tells where they are."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

import gradaudit
from gradaudit import Model
from gradaudit.certification.hidden_pulses import pulses
from gradaudit.certification.pulse_terms import Path, terms_of

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


def unseen(given, starts, lengths, until=100.0, path=None):
    found = pulses(given, path)
    return found.first_unseen(terms_of(given), path, starts, lengths, until)


@pytest.mark.parametrize("name", PULSES)
def test_a_pulse_is_found_at_its_centre(name):
    found = unseen(model(PULSES[name]), *LONG)
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
    assert unseen(model(WIDE[name]), *LONG) is None


def test_a_pulse_is_unseen_where_the_step_there_is_longer():
    given = model(PULSES["gauss"])
    assert np.abs(pulses(given).tops - 37.77).max() < 1e-12
    short = np.arange(37.76999, 37.77001, 1e-6), np.full(21, 1e-6)
    assert unseen(given, *short) is None
    at_centre = [0.0, 37.77, 37.770001], [37.77, 1e-6, 50.0]  # as an event there makes them
    assert unseen(given, *at_centre) == pytest.approx(37.77)


def test_a_pulse_between_two_events_is_seen_by_a_step_from_one_to_the_other():
    """And the half that an event cuts off by a step that begins there."""
    box = model(PULSES["box"])
    events = np.array([0.0, 37.77 - 1e-6, 37.77 + 1e-6])
    assert unseen(box, events, np.diff(events, append=100.0)) is None
    assert unseen(box, [0.0, 37.77 + 1e-6], [37.77 + 1e-6, 60.0]) is not None
    half = model(lambda t, c, w: jnp.where(t < c, 0.0, jnp.exp(-(t - c) / w)))
    starts = np.array([0.0, 37.77, 37.77 + 2e-6, 37.77 + 1e-5, 37.77 + 1e-4])
    assert unseen(half, starts, np.diff(starts, append=100.0)) is None
    assert unseen(half, [0.0, 37.77], [37.77, 62.23]) == pytest.approx(37.77)


def test_a_pulse_beside_a_switch_is_found():
    """Absorption of a dose: 0 at the switch, over within 1e-6 of the window."""

    def absorbed(t, c, w):
        since = jnp.where(t < 30.0, 0.0, t - 30.0)
        return jnp.where(t < 30.0, 0.0, (since / w) ** 10 * jnp.exp(-since / w))

    starts = [0.0, 30.0]
    assert unseen(model(absorbed), starts, [30.0, 70.0]) == pytest.approx(30.0, abs=1e-4)
    short = 30.0 + np.linspace(0.0, 3e-4, 300)
    starts = np.array([0.0, *short, 31.0])
    assert unseen(model(absorbed), starts, np.diff(starts, append=100.0)) is None


@pytest.mark.parametrize("t_end", [200.0, 1000.0, 4800.0])
@pytest.mark.parametrize("per_window", [200, 250, 400])
def test_no_period_hides_pulses_from_each_other(t_end, per_window):
    period = t_end / per_window

    def train(t, c, w):
        return jnp.exp((jnp.cos(2.0 * jnp.pi * (t - 0.3 * period) / period) - 1.0) / 1e-10)

    found = unseen(model(train, t_end), [0.0], [t_end], t_end)
    assert found == pytest.approx(0.3 * period, abs=1e-4 * period)


def test_the_transient_behind_a_dose_is_seen_by_the_steps_there():
    """And its tail is no pulse, in the long steps behind it."""
    rate = 20.0
    depot = model(lambda t, c, w: jnp.where(t < 24.0, 0.0, jnp.exp(-rate * (t - 24.0))))
    inside = 24.0 + np.cumsum(np.geomspace(2e-3, 2.0, 40))
    starts = np.array([0.0, 24.0, *inside])
    assert unseen(depot, starts, np.diff(starts, append=100.0)) is None


def test_a_pulse_in_an_event_function_is_found():
    given = Model(
        name="trigger",
        vector_field=lambda t, y, p: -p[0] * y,
        states={"y": (1.0, "")},
        parameters={"k": (0.05, "")},
        t_end=100.0,
        events={
            "dose": gradaudit.Event(
                when=lambda t, y, p: jnp.exp(-(((t - 61.803) / 1e-5) ** 2)) - 0.5,
                direction=1,
                jump=lambda t, y, p: y + 1.0,
            )
        },
    )
    assert unseen(given, *LONG) == pytest.approx(61.803)


def test_a_pulse_in_time_is_found_beside_thousands_of_turns_of_a_state():
    wave = 0.5 * np.pi * 1000.0
    given = Model(
        name="kicked",
        vector_field=lambda t, y, p: jnp.stack(
            [
                wave * y[1],
                -wave * jnp.expm1(y[0]) + p[0] * jnp.exp(-(((t - 61.8034) / 1e-6) ** 2)),
            ]
        ),
        states={"x": (0.1, ""), "v": (0.0, "")},
        parameters={"b": (1.0, "")},
        t_end=100.0,
    )
    times = np.linspace(0.0, 100.0, 400_001)
    path = Path(times, 0.1 * np.stack([np.cos(wave * times), -np.sin(wave * times)], axis=1))
    assert unseen(given, *LONG, path=path) == pytest.approx(61.8034)


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
    assert unseen(summed, *LONG, path=path) is None


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
    assert (unseen(model(PULSES["gauss"]), *LONG, until) is None) is seen


@pytest.mark.parametrize("centre", [0.05, 99.95, 100.0])
def test_a_pulse_near_an_end_of_the_window_is_found(centre):
    given = model(lambda t, c, w: jnp.exp(-(((t - centre) / w) ** 2)))
    assert unseen(given, *LONG) == pytest.approx(centre)


def test_where_a_pulse_is_may_be_computed_in_any_way():
    """By what is no smooth function, as an index or a maximum, of parameters alone."""
    given = model(lambda t, c, w: jnp.exp(-(((t - jnp.maximum(c, 1.0)) / w) ** 2)))
    assert unseen(given, *LONG) == pytest.approx(37.77)


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
