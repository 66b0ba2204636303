"""Events that change nothing, along an exact flow: which crossings are recorded, and where.

The harmonic oscillator y = (p cos t, -p sin t) is stepped by its own rotation, so that what is
found can be wrong by rounding only.
"""

from itertools import pairwise

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit.solvers.event_recorder import MAX_RECORDED_EVENTS, EventRecorder, locate
from gradaudit.solvers.tangent_solver import StateAndTangents, TangentArgs

P = 1.7
ARGS = TangentArgs.along(jnp.array([P]), jnp.eye(1), 1e-6, 1e-9)
START = StateAndTangents(jnp.array([P, 0.0]), jnp.array([[1.0], [0.0]]))


class ExactRotation(diffrax.AbstractSolver):
    """Steps of any length without an error."""

    term_structure = diffrax.ODETerm
    interpolation_cls = diffrax.LocalLinearInterpolation

    def order(self, terms):
        return 8

    def func(self, terms, t0, y0, args):
        return y0

    def init(self, terms, t0, t1, y0, args):
        return None

    def step(self, terms, t0, t1, y0, args, solver_state, made_jump):
        c, s = jnp.cos(t1 - t0), jnp.sin(t1 - t0)
        turn = jnp.array([[c, s], [-s, c]])
        return StateAndTangents(turn @ y0.y, turn @ y0.tangents), None, {}, None, None


def rate(t, y, p):
    return jnp.stack([y[1], -y[0]])


def marker(threshold):
    """x - threshold p: its zero does not depend on p."""
    return lambda t, y, p: jnp.stack([y[0] - threshold * p[0]])


def recorded(direction, steps, value=None, t_end=4 * np.pi):
    solver = EventRecorder(
        ExactRotation(), diffrax.ODETerm(rate), value or marker(0.0), (direction,)
    )
    times, y = np.linspace(0.0, t_end, steps + 1), START
    state = solver.init(None, 0.0, times[1], y, ARGS)
    for t0, t1 in pairwise(times):
        y, _, _, state, _ = solver.step(None, jnp.asarray(t0), t1, y, ARGS, state, False)
    return state[1]


def located(brackets, value=None):
    return locate(
        brackets, ExactRotation(), None, ARGS, value or marker(0.0), rate, None, perturbed=False
    )


CROSSINGS = np.pi * np.array([0.5, 1.5, 2.5, 3.5])  # falls, rises, falls, rises


@pytest.mark.slow
@pytest.mark.parametrize(
    ("direction", "expected"), [(-1, CROSSINGS[::2]), (1, CROSSINGS[1::2]), (0, CROSSINGS)]
)
def test_crossings_of_the_wanted_direction_are_found_to_rounding(direction, expected):
    """Newton's method is quadratic, and a step covers 0.55 rad: 8 iterations are enough."""
    brackets = recorded(direction, steps=23)
    assert int(brackets.count) == len(expected)
    events = located(brackets)
    np.testing.assert_allclose(events.time[: len(expected)], expected, rtol=1e-14)
    np.testing.assert_array_equal(events.marker[len(expected) :], -1)


def test_a_bracket_holds_its_crossing():
    brackets = recorded(0, steps=23)
    for begin, end, crossing in zip(brackets.begin[:4], brackets.end[:4], CROSSINGS, strict=True):
        assert begin < crossing <= end


def test_the_time_does_not_depend_on_an_amplitude_that_the_threshold_scales_with():
    events = located(recorded(-1, steps=23, value=marker(0.5)), marker(0.5))
    np.testing.assert_allclose(events.time[0], np.pi / 3, rtol=1e-14)
    np.testing.assert_allclose(events.slope[0], 0.0, atol=1e-14)


def test_the_slope_of_a_crossing_time_is_that_of_the_closed_form():
    """x = 1 at t = arccos(1 / p), so dt/dp = 1 / (p sqrt(p^2 - 1))."""

    def value(t, y, p):
        return jnp.stack([y[0] - 1.0])

    events = located(recorded(-1, steps=23, value=value), value)
    np.testing.assert_allclose(events.time[0], np.arccos(1 / P), rtol=1e-13)
    np.testing.assert_allclose(events.slope[0, 0], 1 / (P * np.sqrt(P**2 - 1)), rtol=1e-12)


def test_state_tangents_and_rate_are_those_at_the_crossing():
    events = located(recorded(-1, steps=23))
    np.testing.assert_allclose(events.state[0], [0.0, -P], atol=1e-14)
    np.testing.assert_allclose(events.tangents[0, :, 0], [0.0, -1.0], atol=1e-14)
    np.testing.assert_allclose(events.rate[0], [-P, 0.0], atol=1e-14)


def test_later_events_are_counted_and_the_first_ones_kept():
    half_turns = MAX_RECORDED_EVENTS + 3
    brackets = recorded(0, steps=2 * half_turns, t_end=half_turns * np.pi + 0.1)
    assert int(brackets.count) == half_turns
    expected = (np.arange(MAX_RECORDED_EVENTS) + 0.5) * np.pi
    np.testing.assert_allclose(located(brackets).time, expected, rtol=1e-13)
