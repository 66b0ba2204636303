"""The quick way to the end of the window is diffrax's own, to the last bit."""

from __future__ import annotations

import diffrax
import diffrax._integrate as integrate
import equinox.internal as equinox_internal
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit.backend.jax_setup  # noqa: F401 - switches x64 on
from gradaudit.solvers.integration import FLOATS, diffeqsolve, floats_before


@pytest.mark.parametrize("kind", [jnp.float64, jnp.float32])
def test_many_floats_before_are_found_at_once(kind):
    x = jnp.array([1.0, 1.0 + 3e-7, 500.0, -2.0, -1.0 - 1e-7, 0.0, 1e-30, -1e30, 3e38], dtype=kind)
    step = x
    for _ in range(FLOATS):
        step = equinox_internal.prevbefore(step)
    found = floats_before(x, FLOATS)
    assert found.dtype == kind
    np.testing.assert_array_equal(found, step)
    _, tangent = jax.jvp(lambda x: floats_before(x, FLOATS), (x,), (2.0 * jnp.ones_like(x),))
    np.testing.assert_array_equal(tangent, 2.0)


def test_diffrax_asks_for_as_many_as_are_counted():
    """Else nothing is gained: one `nextafter` is the step of the closed form, 22 operations."""

    def end(solve, t1):
        solution = solve(
            diffrax.ODETerm(lambda t, y, args: -y),
            diffrax.Tsit5(),
            0.0,
            t1,
            0.1,
            jnp.ones(1),
            stepsize_controller=diffrax.PIDController(1e-6, 1e-9),
        )
        return solution.ys, solution.stats["num_steps"]

    counted = jax.make_jaxpr(lambda t1: end(diffeqsolve, t1))(1.0)
    plain = jax.make_jaxpr(lambda t1: end(diffrax.diffeqsolve, t1))(1.3)
    assert str(counted).count("nextafter") == 0
    assert str(plain).count("nextafter") > 0
    assert integrate.eqxi is equinox_internal
    for t1 in (1.0, 0.3, 7.0):
        ours, theirs = end(diffeqsolve, t1), end(diffrax.diffeqsolve, t1)
        np.testing.assert_array_equal(ours[0], theirs[0])
        assert ours[1] == theirs[1]
