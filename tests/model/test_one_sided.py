"""Switches at the ends of the window, on solutions in closed form."""

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Model
from gradaudit.model.one_sided import one_sided


def notes(field, nominal, y, slopes, start=None):
    """Of a solution y (T, 1) with slopes (T, m) at t = 0 and 2; the integral counts as 0."""
    model = Model(
        name="m",
        vector_field=field,
        states={"y": (y[0], "")},
        parameters={f"p{i}": (value, "") for i, value in enumerate(nominal)},
        initial_state=start,
        t_end=2.0,
    )
    values = np.array([[value, 0.0] for value in y])
    derivatives = np.array([[slope, [0.0] * len(nominal)] for slope in slopes])
    found = one_sided(model, np.array([0.0, 2.0]), values, derivatives)
    return [(note.time, note.columns.tolist()) for note in found]


@pytest.mark.slow
def test_a_switch_at_the_start_or_end_that_a_parameter_moves():
    on = lambda t, y, p: jnp.where(t >= p[0], p[1], 0.0) + 0.0 * y  # noqa: E731
    assert notes(on, [0.0, 1.0], [0.0, 2.0], [[0, 0], [0, 2]]) == [(0.0, [True, False])]
    off = lambda t, y, p: jnp.where(t < p[0], p[1], 0.0) + 0.0 * y  # noqa: E731
    assert notes(off, [2.0, 1.0], [0.0, 2.0], [[0, 0], [1, 2]]) == [(2.0, [True, False])]


@pytest.mark.slow
def test_a_switch_at_a_fixed_time_or_inside_the_window_is_none():
    fixed = lambda t, y, p: jnp.where(t < 2.0, p[0], 0.0) + 0.0 * y  # noqa: E731
    assert notes(fixed, [1.0], [0.0, 2.0], [[0], [2]]) == []
    inside = lambda t, y, p: jnp.where(t < p[0], 1.0, 0.0) + 0.0 * y  # noqa: E731
    assert notes(inside, [1.0], [0.0, 1.0], [[0], [1]]) == []


def test_a_kink_at_an_end_is_none_for_the_rates_are_the_same():
    kink = lambda t, y, p: jnp.abs(t - p[0]) + 0.0 * y  # noqa: E731
    assert notes(kink, [2.0], [0.0, 2.0], [[0], [2]]) == []


@pytest.mark.slow
def test_a_state_that_stays_on_a_threshold():
    floor = lambda t, y, p: p[0] * jnp.maximum(y, 0.0)  # noqa: E731
    stays = notes(floor, [0.1, 0.0], [0.0, 0.0], [[0, 1], [0, np.exp(0.2)]], lambda p: p[1:])
    assert stays == [(0.0, [False, True])]
    assert notes(floor, [0.1, 0.0], [0.0, 0.0], [[0, 0], [0, 0]]) == []
