"""What a step of the grid has at a time within it, and at its ends."""

from types import SimpleNamespace

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit.solvers.root_finder import patient
from gradaudit.solvers.stepped_output import observed, where_solved

STEP = SimpleNamespace(t0=1.0, t1=2.0, start=jnp.array([1.0, 0.0]), end=jnp.array([3.0, 0.0]))


@pytest.mark.parametrize(("t", "expected"), [(1.0, 1.0), (1.5, 9.0), (2.0, 3.0)])
def test_the_ends_of_a_step_are_not_computed_again(t, expected):
    assert float(observed(STEP, t, jnp.array([9.0, 0.0]))[0]) == expected


@pytest.mark.parametrize(
    ("solved", "reached", "kept"),
    [(True, 1e9, True), (False, 2.0, True), (False, 1e9, False)],
)
def test_what_ran_away_in_a_step_that_nobody_controls_is_no_number(solved, reached, kept):
    results = diffrax.RESULTS
    result = results.successful if solved else results.nonlinear_divergence
    found = where_solved(STEP, diffrax.Tsit5(), result, jnp.array([reached, 0.0]))
    np.testing.assert_array_equal(np.isfinite(found), kept)


def test_a_chord_that_says_so_has_found_nothing():
    solver = SimpleNamespace(
        solver=diffrax.Kvaerno5(root_finder=patient(diffrax.VeryChord(0.1, 0.1)))
    )
    for result, kept in (("successful", True), ("nonlinear_divergence", False)):
        found = where_solved(STEP, solver, getattr(diffrax.RESULTS, result), jnp.array([2.0, 0.0]))
        np.testing.assert_array_equal(np.isfinite(found), kept)
