"""Linear systems of implicit steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit.solvers.small_lu import INVERTED, PLAIN, WRITTEN_OUT, solver_of

SIZES = (1, WRITTEN_OUT, PLAIN, INVERTED, INVERTED + 1)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_units_of_the_states_do_not_matter(n, kind):
    """D M D^-1 x = D b has x = D M^-1 b, to the rounding of the system without units."""
    random = np.random.default_rng(n)
    M = np.eye(n) + random.standard_normal((n, n)) / np.sqrt(n)
    if kind == "complex":
        M = M + 1j * random.standard_normal((n, n)) / np.sqrt(n)
    b = random.standard_normal(n)
    units = 2.0 ** random.permutation(np.round(np.linspace(-30, 40, n)))
    found = jax.jit(lambda a, b: solver_of(a)(b))(M * units[:, None] / units, units * b)
    exact = np.linalg.solve(M, b)
    unit = np.finfo(float).eps * np.linalg.cond(M) * np.abs(exact).max()
    np.testing.assert_allclose(np.asarray(found) / units, exact, rtol=0.0, atol=10.0 * unit)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("n", SIZES)
def test_a_singular_matrix_has_no_finite_solution(n):
    matrix = jnp.eye(n).at[n - 1, n - 1].set(0.0)
    assert not np.isfinite(np.asarray(solver_of(matrix)(jnp.ones(n)))).all()
