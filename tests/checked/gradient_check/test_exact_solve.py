"""Solves that take the place of diffrax's, wherever a function calls it."""

from __future__ import annotations

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from diffrax import diffeqsolve

from gradaudit.checked.gradient_check.differences import quotients
from gradaudit.checked.gradient_check.directions import Directions, directions
from gradaudit.checked.gradient_check.exact_solve import ExactSolve
from gradaudit.checked.gradient_check.inspection import inspect
from gradaudit.checked.gradient_check.interception import replaced
from gradaudit.checked.gradient_check.observed import observing

P = jnp.array([2.0, 1.0, 3.0])  # rate, end, start


def decayed(p):
    """By Euler's method, which is far off."""
    return diffeqsolve(
        diffrax.ODETerm(lambda t, y, p: -p[0] * y), diffrax.Euler(), 0.0, p[1], 0.25, p[2], p
    ).ys[-1]  # fmt: skip


@pytest.mark.slow
def test_derivatives_are_those_of_the_exact_solution_also_by_the_end():
    compiled = jax.jit(decayed)
    by_euler = float(compiled(P))
    exact = 3.0 * np.exp(-2.0)
    assert abs(by_euler / exact - 1.0) > 0.1

    def push(p, v):
        return jax.jvp(compiled, (p,), (v,))

    with replaced(ExactSolve("tsit5", 1e-7)), observing() as seen:
        value, slopes = jax.jit(jax.vmap(push, in_axes=(None, 0)))(P, jnp.eye(3))
    np.testing.assert_allclose(value, exact, rtol=1e-6)
    np.testing.assert_allclose(slopes, [-exact, -2.0 * exact, exact / 3.0], rtol=1e-6)
    assert seen.solves == 1  # the directions share it
    assert not seen.failed
    assert float(compiled(P)) == by_euler


def test_what_is_in_a_program_is_counted():
    def program(p):
        def step(carry, x):
            return carry + decayed(p * x), None

        total, _ = jax.lax.scan(step, 0.0, jnp.ones(2))
        return jax.checkpoint(decayed)(p) + total.astype(jnp.float32)

    with replaced(ExactSolve("tsit5", 1e-7)):
        found = inspect(jax.make_jaxpr(program)(P).jaxpr)
    assert (found.solves, found.missed, found.loops, found.scans) == (2, 0, 0, 0)
    assert found.roundings == 1
    missed = inspect(jax.make_jaxpr(program)(P).jaxpr)
    assert (missed.solves, missed.missed) == (0, 2)


@pytest.mark.parametrize("error", [[1.0, -1.0], [1.0, 0.0], [3.0, 4.0]])
def test_random_directions_bound_an_error_whatever_it_is(error):
    wrong = np.zeros(50)
    wrong[:2] = error
    size, held = np.linalg.norm(wrong), 0
    for seed in range(200):
        where = directions(np.ones(50), 3, seed)
        least, _, most = where.bounds(where.vectors @ wrong, np.zeros(3))
        held += least <= size <= most
    assert held >= 197
    all_of_them = Directions(np.eye(50), np.ones(50), complete=True)
    assert all_of_them.bounds(wrong, 0.0 * wrong) == pytest.approx((size, size, size))


def test_quotients_converge_and_a_kink_is_seen():
    steps = [1e-2 / 4.0**k for k in range(6)]
    line = np.array([0.0, *steps, *(-h for h in steps)])
    found = quotients(np.stack([np.exp(line), np.abs(line) + line]), steps)
    np.testing.assert_allclose(found.slopes, [1.0, 1.0], rtol=1e-9)
    assert found.kinks[0] < 1e-6
    assert found.kinks[1] == pytest.approx(2.0)
