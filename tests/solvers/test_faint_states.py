"""States below their tolerance that grow out of it, from steps that are made up."""

import jax.numpy as jnp

from gradaudit.solvers.faint_states import Faint


def after(steps, rtol=1e-6, atol=1e-9):
    """`steps` are (before, after, error), each a list of states."""
    faint = Faint.none()
    for before, now, error in steps:
        faint = faint.including(jnp.array(before), jnp.array(now), jnp.array(error), rtol, atol)
    return float(faint.emerged), float(faint.smallest)


def test_growth_with_an_error_counts_when_the_state_emerges():
    growing = ([1e-9], [1e-8], [2e-11])
    assert after([growing]) == (0.0, float("inf"))
    emerged, smallest = after([growing, ([9e-4], [2e-3], [0.0])])
    assert abs(emerged - 2e-3) < 1e-15
    assert abs(smallest - 1e-9) < 1e-24


def test_slow_growth_and_large_states_do_not_count():
    assert after([([1e-9], [2e-9], [1e-9]), ([9e-4], [2e-3], [0.0])])[0] == 0.0
    assert after([([0.1], [1.0], [0.5]), ([1.0], [2.0], [0.0])])[0] == 0.0


def test_what_another_faint_state_produces_is_not_amplified():
    produced = ([1e-9, 1e-12], [1e-9, 5e-11], [0.0, 1e-12])
    assert after([produced, ([9e-4, 9e-4], [2e-3, 2e-3], [0.0, 0.0])])[0] == 0.0


def test_a_method_without_an_error_shows_nothing():
    assert Faint.none().including(jnp.ones(1), jnp.ones(1), None, 1e-6, 1e-9) == Faint.none()
