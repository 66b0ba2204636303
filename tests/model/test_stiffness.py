"""How stiff a model is: the largest eigenvalue of its Jacobian, times the window."""

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Model
from gradaudit.model.stiffness import POINTS, stiffness

MODEL = Model(
    name="two_times",
    vector_field=lambda t, y, p: jnp.stack([-p[0] * y[0], -p[1] * t * y[1]]),
    states={"a": (1.0, "1"), "b": (1.0, "1")},
    parameters={"k": (50.0, "1/s"), "l": (20.0, "1/s2")},
    t_end=10.0,
)


def test_the_fastest_rate_along_the_solution_counts():
    """At t <= 2.5 the rate 50 is the larger one, at t = 10 the rate 20 t = 200."""
    early = np.linspace(0.0, 2.0, 5)
    assert stiffness(MODEL, early, np.ones((5, 2))) == pytest.approx(500.0, rel=1e-12)
    late = np.linspace(0.0, 10.0, 5)
    assert stiffness(MODEL, late, np.ones((5, 2))) == pytest.approx(2000.0, rel=1e-12)


def test_of_many_times_the_first_and_the_last_are_looked_at():
    times = np.linspace(0.0, 10.0, 10 * POINTS + 1)
    assert stiffness(MODEL, times, np.ones((len(times), 2))) == pytest.approx(2000.0, rel=1e-12)


def test_an_oscillation_is_as_fast_as_its_angular_frequency():
    rotation = Model(
        name="rotation",
        vector_field=lambda t, y, p: p[0] * jnp.stack([y[1], -y[0]]),
        states={"x": (1.0, "1"), "y": (0.0, "1")},
        parameters={"w": (3.0, "1/s")},
        t_end=2.0,
    )
    assert stiffness(rotation, np.array([1.0]), np.ones((1, 2))) == pytest.approx(6.0, rel=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_states_that_are_not_finite_have_no_stiffness(value):
    assert np.isnan(stiffness(MODEL, np.array([1.0]), np.array([[value, 1.0]])))


def test_a_jacobian_that_is_not_finite_has_no_stiffness():
    root = Model(
        name="root",
        vector_field=lambda t, y, p: -p[0] * jnp.sqrt(y),
        states={"y": (0.0, "1")},
        parameters={"k": (1.0, "1/s")},
        t_end=1.0,
    )
    assert np.isnan(stiffness(root, np.array([1.0]), np.zeros((1, 1))))
