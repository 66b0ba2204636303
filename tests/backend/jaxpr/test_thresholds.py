"""States on a threshold: which changes of the parameters move them off it."""

import jax.numpy as jnp
import numpy as np

from gradaudit.backend.jaxpr.branches import FrozenField
from gradaudit.backend.jaxpr.thresholds import standing, touching

P, NONE, UNIT = jnp.array([0.7, 2.0]), jnp.zeros((1, 2)), jnp.eye(2)


def field(f):
    return FrozenField(lambda t, z, p: jnp.stack([f(z[0], p)]), 1, 2)


def test_a_start_at_a_threshold_at_which_the_rates_jump():
    jumps = field(lambda y, p: jnp.where(y >= p[1], 1.0, -1.0) * p[0])
    at = touching(jumps, jnp.zeros(()), jnp.array([2.0]), P, NONE, UNIT)
    assert at.tolist() == [False, True]
    follows = touching(jumps, jnp.zeros(()), jnp.array([2.0]), P, jnp.array([[0.0, 1.0]]), UNIT)
    assert follows.tolist() == [False, False], "y0 = p1 is on the threshold for every p"
    beside = touching(jumps, jnp.zeros(()), jnp.array([2.0 + 1e-9]), P, NONE, UNIT)
    assert beside.tolist() == [False, False]


def test_a_start_at_a_kink_is_left_at_once():
    kink = field(lambda y, p: 1.0 + jnp.maximum(y - p[1], 0.0))
    at = touching(kink, jnp.zeros(()), jnp.array([2.0]), P, NONE, UNIT)
    assert at.tolist() == [False, False]


def test_a_solution_that_stays_on_a_kink():
    kink = field(lambda y, p: p[0] * jnp.maximum(y - p[1], 0.0))
    times, tangents = jnp.array([0.0, 1.0]), jnp.array([[0.0, 0.3]])
    stays, leaves = (jnp.array([[2.0], [y]]) for y in (2.0, 2.5))
    assert standing(kink, times, stays, P, tangents, UNIT).tolist() == [False, True]
    assert not np.any(standing(kink, times, leaves, P, tangents, UNIT))
