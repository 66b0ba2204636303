"""Linear solves written out, against NumPy."""

import heyoka as hy
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit.certification.heyoka.precision import DOUBLE
from gradaudit.certification.heyoka.translate import translate
from gradaudit.errors import TranslationError


def value(function, *numbers):
    variables = [hy.expression(f"x{i}") for i in range(len(numbers))]
    rows = translate(function, [variables], precision=DOUBLE)
    return hy.cfunc(rows, variables)(np.array(numbers))


def matrix(x):
    return jnp.array([[0.0, x[0], 1.0], [x[1], 2.0, 0.0], [1.0, 0.0, x[0] * x[1]]])


def test_a_solve_with_a_zero_in_the_corner():
    found = value(
        lambda x: jnp.linalg.solve(matrix(x), x[2] * jnp.array([1.0, 2.0, 3.0])), 0.3, 0.7, 2.0
    )
    exact = np.linalg.solve(matrix([0.3, 0.7]), 2.0 * np.array([1.0, 2.0, 3.0]))
    np.testing.assert_allclose(found, exact, rtol=1e-12)


def test_an_inverse_times_a_vector():
    found = value(lambda x: jnp.linalg.inv(matrix(x)) @ jnp.ones(3), 0.3, 0.7)
    exact = np.linalg.inv(matrix([0.3, 0.7])) @ np.ones(3)
    np.testing.assert_allclose(found, exact, rtol=1e-12)


def test_a_large_system_is_refused_with_its_size():
    with pytest.raises(TranslationError, match="20 unknowns"):
        value(lambda x: jnp.linalg.solve(jnp.eye(20) * x[0], jnp.ones(20)), 0.3)


def test_what_is_stopped_and_used_otherwise_is_refused():
    import jax

    for use in (lambda x: 2.0 * x, lambda x: x, jnp.sum, lambda x: jnp.stack([x[0], 1.0])):
        with pytest.raises(TranslationError, match="stop_gradient"):
            value(lambda x, use=use: jnp.atleast_1d(use(jax.lax.stop_gradient(x))), 0.3)
