"""Whether a point of rest attracts, by the eigenvalues of a Jacobian that are known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from gradaudit.certification.steady_state.stability import Stability, of_matrix
from gradaudit.certification.steady_state.steady_state import _best

PRECISION = _best()


def judged(matrix):
    return of_matrix(PRECISION.array(np.asarray(matrix, dtype=float)), PRECISION)


@pytest.mark.parametrize("relaxing", [1, 3])
def test_a_centre_beside_states_that_relax_as_fast_as_it_turns_is_one(relaxing):
    """Eigenvalues of equal size have no order, in which some could stand in for others."""
    random = np.random.default_rng(3)
    for _ in range(50):
        n = 2 + relaxing
        matrix = -np.eye(n) + np.triu(random.uniform(-1.0, 1.0, (n, n)), 1)
        matrix[:2, :2] = [[0.0, 1.0], [-1.0, 0.0]]
        turned, _ = np.linalg.qr(random.standard_normal((n, n)))
        assert judged(turned @ matrix @ turned.T) == Stability.UNDECIDED


@pytest.mark.parametrize("spread", [1.0, 1e6, 1e10])
def test_rates_that_are_far_apart_are_stable_or_not(spread):
    f, s = spread, 1.0 / spread
    matrix = np.array(
        [[-f, 0.3 * f, 0.7 * s], [0.4 * s, -1.3 * s, 0.1 * s], [0.2 * f, 0.3 * f, -1.1 * f]]
    )
    assert judged(matrix) == Stability.STABLE
    assert judged([[-f, f], [0.0, s]]) == Stability.UNSTABLE
    assert judged([[-s]]) == Stability.STABLE


def test_rates_out_of_every_state_are_stable():
    """A compartmental matrix with outflow everywhere, of rates over eighteen decades."""
    random = np.random.default_rng(5)
    for n in (2, 6, 20):
        rates = 10.0 ** random.uniform(-9.0, 9.0, (n, n))
        np.fill_diagonal(rates, 0.0)
        out = 10.0 ** random.uniform(-9.0, 9.0, n)
        assert judged(rates - np.diag(rates.sum(axis=0) + out)) == Stability.STABLE
