"""The fastest mode of a vector field, where it is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit.checked.fast_rate import fast_rate

TIMES = np.linspace(0.0, 1.0, 3)
STATES = jnp.ones((3, 3))


def test_the_fastest_of_separated_modes_is_found():
    """After twelve products the others are below 1e-12 of it."""
    matrix = jnp.array([[-1.0, 5.0, 0.0], [0.0, -300.0, 2.0], [0.0, 0.0, -2.0]])
    rate = jax.jit(lambda p: fast_rate(lambda t, y, p: p * matrix @ y, TIMES, STATES, p))
    assert float(rate(2.0)) == pytest.approx(600.0, rel=1e-6)


def test_a_rotation_has_the_rate_of_its_frequency():
    """A pair of complex eigenvalues keeps the norm of what it turns up to its constant."""
    matrix = jnp.array([[0.0, 7.0, 0.0], [-7.0, 0.0, 0.0], [0.0, 0.0, -0.1]])
    rate = fast_rate(lambda t, y, p: matrix @ y, TIMES, STATES, None)
    assert float(rate) == pytest.approx(7.0, rel=1e-3)


def test_a_rate_that_does_not_depend_on_the_states_has_no_mode():
    assert float(fast_rate(lambda t, y, p: jnp.ones(3), TIMES, STATES, None)) == 0.0
