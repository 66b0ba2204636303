"""Decisions on whole arrays: kept when the numbers move, with a margin that changes its sign."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gradaudit.backend.jaxpr.branches import FrozenField


def winner(t):
    both = jnp.stack([1.0 - t, t])
    return jnp.where(both == jnp.max(both), 1.0, 0.0)[1]


def trio(t):
    return jnp.stack([1.0 - t, t, 9.0])


CASES = {
    # f(t, z, p) of t; two times with different decisions; what stays of f at the second
    "argmax": (lambda t: jnp.array([3.0, 5.0])[jnp.argmax(jnp.stack([1.0 - t, t]))], 0.2, 0.9, 3.0),
    "argmin": (lambda t: jnp.array([3.0, 5.0])[jnp.argmin(jnp.stack([1.0 - t, t]))], 0.2, 0.9, 5.0),
    "largest": (lambda t: jnp.max(jnp.stack([1.0 - t, t])), 0.2, 0.9, 0.1),
    "smallest": (lambda t: jnp.min(trio(t).reshape(1, 3, 1)), 0.2, 0.9, 0.9),
    "equal to the largest": (winner, 0.2, 0.9, 0.0),
    "slope of the largest": (jax.grad(lambda t: jnp.max(jnp.stack([1 - t, t]))), 0.2, 0.9, -1.0),
    "top_k": (lambda t: 1.0 * lax.top_k(trio(t), 2)[1][1], 0.2, 0.9, 0.0),
    "argpartition": (lambda t: 1.0 * jnp.argpartition(trio(t), 1)[0], 0.2, 0.9, 1.0),
    "sort": (lambda t: jnp.sort(jnp.stack([1.0 - t, t]))[0], 0.2, 0.9, 0.9),
    "argsort": (lambda t: 1.0 * jnp.argsort(jnp.stack([1.0 - t, t]))[0], 0.2, 0.9, 1.0),
    "to whole numbers": (lambda t: 1.0 * jnp.asarray(3.0 * t).astype(int), 0.2, 0.4, 0.0),
    "searchsorted": (lambda t: 1.0 * jnp.searchsorted(jnp.array([0.3, 0.6]), t), 0.2, 0.4, 0.0),
    "signbit": (lambda t: jnp.where(jnp.signbit(t - 0.5), 3.0, 5.0), 0.2, 0.9, 3.0),
    "copysign": (lambda t: jnp.copysign(2.0 * t, t - 0.5), 0.2, 0.9, -1.8),
    "digitize": (lambda t: 1.0 * jnp.digitize(t, jnp.array([0.3, 0.6])), 0.4, 0.9, 1.0),
}


@pytest.mark.sampled(8)
@pytest.mark.parametrize("name", CASES)
def test_what_is_decided_stays_and_the_margin_passes_through_zero(name):
    f, first, second, kept = CASES[name]
    field = FrozenField(lambda t, z, p: jnp.stack([f(t)]), 1, 1)
    z = p = jnp.zeros(1)
    assert field.switches
    old, new = field.decisions(first, z, p), field.decisions(second, z, p)
    assert np.allclose(field(first, z, p, old), f(first))
    assert np.allclose(field(second, z, p, new), f(second))
    assert np.allclose(field(second, z, p, old), kept)
    before, after = field.margins(first, z, p, old), field.margins(second, z, p, old)
    assert np.any(np.asarray(before) * np.asarray(after) < 0.0)


@pytest.mark.parametrize(("x", "nearest"), [(-1.6, -2), (-0.25, -1), (0.25, 1), (1.1, 1)])
def test_the_nearest_whole_number_at_which_a_conversion_changes(x, nearest):
    """What is converted to 0 reaches from -1 to 1."""
    field = FrozenField(lambda t, z, p: jnp.stack([1.0 * t.astype(int)]), 1, 1)
    z = jnp.zeros(1)
    (margin,) = field.margins(x, z, z, field.decisions(x, z, z))
    assert float(margin) == x - nearest
