"""The root finder of an implicit solver: its tolerances, and a norm over the states alone."""

from types import SimpleNamespace

import diffrax
import jax.numpy as jnp
import pytest

import gradaudit.backend.jax_setup  # noqa: F401  # float64
from gradaudit.solvers.root_finder import root_finder


def norm(n):
    return root_finder(diffrax.Kvaerno3, 1e-3, 1e-6, n).norm


def test_only_tolerances_and_norm_of_diffraxs_choice_are_replaced():
    found, default = root_finder(diffrax.Kvaerno3, 1e-3, 1e-6, 2), diffrax.Kvaerno3.root_finder
    assert type(found) is type(default)
    assert (found.rtol, found.atol) == (1e-3, 1e-6)
    assert found.kappa == default.kappa


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
