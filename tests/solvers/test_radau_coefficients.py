"""Coefficients of Radau IIA: closed forms of three stages, and conditions of order of any number.

Tolerances are rounding: 1e-16 times the entries, up to 1e3 for five stages.
"""

import numpy as np
import pytest

from gradaudit.solvers.radau_coefficients import radau


def test_three_stages_are_those_of_hairer_and_wanner():
    """Section IV.8, formulas 8.3 and 8.20: gamma_0 is the inverse of the real eigenvalue."""
    own, root = radau(3), np.sqrt(6.0)
    tableau = np.array(
        [
            [(88 - 7 * root) / 360, (296 - 169 * root) / 1800, (-2 + 3 * root) / 225],
            [(296 + 169 * root) / 1800, (88 + 7 * root) / 360, (-2 - 3 * root) / 225],
            [(16 - root) / 36, (16 + root) / 36, 1 / 9],
        ]
    )
    np.testing.assert_allclose(own.c, [(4 - root) / 10, (4 + root) / 10, 1.0], rtol=1e-15)
    np.testing.assert_allclose(own.inverse @ tableau, np.eye(3), atol=1e-14)
    gamma = 1.0 / own.eigenvalues[0].real
    embedded = gamma / 3.0 * np.array([-13 - 7 * root, -13 + 7 * root, -1.0])
    np.testing.assert_allclose(own.error, embedded, rtol=1e-13)


@pytest.mark.parametrize("s", [3, 5])
def test_quadrature_embedded_formula_and_polynomial(s):
    own, k = radau(s), np.arange(1, 2 * s)
    weights = np.linalg.inv(own.inverse)[-1]
    np.testing.assert_allclose(weights @ own.c[:, None] ** (k - 1), 1.0 / k, rtol=1e-13)
    z = own.c[:, None] ** np.arange(1, s + 1)  # of y = t, t^2, ..., with a slope of 1, 0, ... at 0
    slopes = np.arange(1, s + 1) == 1
    np.testing.assert_allclose(
        slopes / own.eigenvalues[0].real + own.error @ z, np.zeros(s), atol=1e-13
    )
    np.testing.assert_allclose(own.dense @ z, np.eye(s), atol=1e-12)


@pytest.mark.parametrize("s", [3, 5])
def test_eigenvectors_with_pairs_in_order(s):
    own = radau(s)
    again = own.from_eigen @ np.diag(own.eigenvalues) @ own.to_eigen
    np.testing.assert_allclose(again, own.inverse, atol=1e-12)
    first, second = own.eigenvalues[1:].reshape(2, -1)
    assert own.eigenvalues[0].imag == 0.0
    np.testing.assert_array_equal(second, first.conj())
