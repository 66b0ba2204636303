"""Rounding of a formula that cancels, and a kink that is none."""

import jax
import jax.numpy as jnp
import numpy as np

from gradaudit import Event, Model
from gradaudit.certification.rounding_check import RoundingCheck


def model(field):
    return Model(
        name="m",
        vector_field=field,
        states={"y": (1.0, "")},
        parameters={"k": (0.7, "")},
        t_end=2.0,
        integrands={"none": lambda t, y, p: 0.0 * t},
    )


def resolved(field):
    check, points = RoundingCheck(model(field)), np.linspace(0.5, 1.5, 9)
    states = np.stack([points, 0.0 * points], axis=1)
    nominal = np.array([0.7])
    rates = jax.vmap(lambda t, y: field(t, y, nominal))(points, states[:, :1])
    whole = np.concatenate([np.asarray(rates), np.zeros((9, 1))], axis=1)
    better, rough = check.resolved(points, states, whole)
    return points, whole[:, 0], better[:, 0], rough[:, 0]


def test_a_difference_that_cancels_is_explained_and_made_better():
    """(-100 + sqrt(1e4 + 4e-9 c)) / 2 is 1e-11 c to 1e-13 of it."""
    points, rates, better, rough = resolved(
        lambda t, y, p: (-100.0 + jnp.sqrt(1e4 + 4e-9 * y)) / 2.0
    )
    exact = 1e-11 * points
    assert np.max(np.abs(rates - exact) / exact) > 1e-5
    assert np.max(np.abs(better - exact) / exact) < 1e-6
    assert rough.max() > 1e-16


def test_a_smooth_formula_needs_no_explanation():
    _, rates, better, rough = resolved(lambda t, y, p: p[0] * jnp.exp(-y))
    np.testing.assert_allclose(better, rates, rtol=1e-14)
    assert rough.max() < 1e-15


def test_few_modes_are_read_of_many_points():
    """Each takes milliseconds, which no time limit interrupts."""

    def field(t, y, p):
        return p[0] * jnp.where(t < 0.7, y, -y)

    switching = Model(
        name="m",
        vector_field=field,
        states={"y": (1.0, "")},
        parameters={"k": (0.7, "")},
        t_end=2.0,
        integrands={"none": lambda t, y, p: 0.0 * t},
        events={"off": Event(when=lambda t, y, p: t - 0.7)},
    )
    check, points = RoundingCheck(switching), np.linspace(0.5, 1.5, 2000)
    read, once = [], check._mode
    check._mode = lambda t, z: read.append(t) or once(t, z)
    states = np.stack([points, 0.0 * points], axis=1)
    rates = np.stack([0.7 * np.where(points < 0.7, points, -points), 0.0 * points], axis=1)
    better, _ = check.resolved(points, states, rates)
    np.testing.assert_allclose(better, rates, rtol=1e-14)
    assert len(read) < 20


def test_a_choice_of_a_model_without_events_is_read_as_the_points_make_it():
    """The branch of what is finite, or of a maximum, is no event."""
    points, rates, better, _ = resolved(lambda t, y, p: jnp.maximum(y, 0.1) * (1.0 + 0.0 * p[0]))
    np.testing.assert_allclose(better, points, rtol=1e-15)
    np.testing.assert_allclose(rates, points, rtol=1e-15)
