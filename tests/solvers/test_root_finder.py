"""The root finder of an implicit solver: its tolerances, and a norm over the states alone."""

from types import SimpleNamespace

import diffrax
import jax.numpy as jnp
import numpy as np
import optimistix
import pytest

import gradaudit.backend.jax_setup  # noqa: F401  # float64
from gradaudit.solvers.root_finder import patient, root_finder


def norm(n):
    return root_finder(diffrax.Kvaerno3, 1e-3, 1e-6, n).norm


def test_only_tolerances_and_norm_of_diffraxs_choice_are_replaced():
    found, default = root_finder(diffrax.Kvaerno3, 1e-3, 1e-6, 2), diffrax.Kvaerno3.root_finder
    assert isinstance(found, type(default))
    assert (found.rtol, found.atol) == (1e-3, 1e-6)
    assert found.kappa == default.kappa


def test_a_stage_that_converges_has_more_than_two_iterations():
    """y = 0.3 + cos(3 y) / 10 by the derivative at 0, which is 1: errors fall by 0.28 or so."""
    y0 = jnp.zeros(1)

    def residual(y, args):
        return y - 0.1 * jnp.cos(3.0 * y) - 0.3

    finder = patient(diffrax.VeryChord(rtol=1e-9, atol=1e-9))
    found = optimistix.root_find(residual, finder, y0, throw=False, max_steps=60)
    assert found.result == optimistix.RESULTS.successful
    np.testing.assert_allclose(residual(found.value, None), 0.0, atol=1e-10)
    short = optimistix.root_find(residual, finder, y0, throw=False, max_steps=4)
    assert short.result != optimistix.RESULTS.successful


def test_a_stage_that_diverges_is_told():
    """y^3 - 2 by the derivative at 0.1, which is 0.03: the first iterate is 67."""
    finder = patient(diffrax.VeryChord(rtol=1e-9, atol=1e-9))
    found = optimistix.root_find(
        lambda y, args: y**3 - 2.0, finder, jnp.full(1, 0.1), throw=False, max_steps=60
    )
    assert found.result != optimistix.RESULTS.successful


def test_the_norm_is_the_root_mean_square_of_the_states():
    assert float(norm(2)(jnp.array([3.0, 4.0, 100.0]))) == pytest.approx(12.5**0.5)
    assert float(norm(2)(SimpleNamespace(y=jnp.array([3.0, 4.0, 100.0])))) == pytest.approx(
        12.5**0.5
    )


def test_without_a_number_of_states_it_is_over_everything():
    leaves = {"a": jnp.array([3.0, 4.0]), "b": jnp.array([[5.0, 12.0]])}
    assert float(norm(None)(leaves)) == pytest.approx((194.0 / 4.0) ** 0.5)


def test_complex_numbers_are_judged_by_their_real_part():
    assert float(norm(1)(jnp.array([3.0 + 4.0j]))) == 3.0


def test_equal_norms_hash_alike_so_that_nothing_is_traced_again():
    assert norm(2) == norm(2)
    assert hash(norm(2)) == hash(norm(2))
    assert norm(2) != norm(3)
    assert norm(2) != 2
