"""Nodes and matrices of Radau IIA, against mpmath and against polynomials."""

import mpmath
import numpy as np
import pytest

from gradaudit.certification.collocation.radau import FEWEST, MOST, radau
from gradaudit.certification.heyoka.precision import (
    DOUBLE,
    LONG_DOUBLE,
    QUAD,
    available,
    multiple,
    to_float64,
)
from gradaudit.errors import SettingError

EVERY = [p for p in (DOUBLE, LONG_DOUBLE, QUAD) if available(p)]


@pytest.mark.parametrize("s", [8, 16, 20])
@pytest.mark.parametrize("precision", EVERY, ids=lambda p: p.name)
def test_nodes_are_the_zeros_of_a_difference_of_legendre_polynomials(s, precision):
    """Found again by mpmath with 50 digits; the text of a number has all of its digits."""
    with mpmath.workdps(50):
        for node in radau(s, precision).nodes:
            x = 2 * mpmath.mpf(str(node)) - 1
            zero = mpmath.findroot(lambda x: mpmath.legendre(s, x) - mpmath.legendre(s - 1, x), x)
            assert abs(zero - x) < 8 * precision.eps
    assert float(radau(s, precision).nodes[-1]) == 1.0


@pytest.mark.parametrize("s", [FEWEST, 12, 20])
def test_known_method_and_inverse(s):
    """A^-1 A is 1 to the rounding of s^2 products of numbers up to s^2."""
    method = radau(s, LONG_DOUBLE)
    found = to_float64(method.derivative @ method.integral)
    np.testing.assert_allclose(found, np.eye(s), atol=4 * s**2 * LONG_DOUBLE.eps)
    # the three-stage method of Hairer and Wanner, table IV.5.6
    weights = to_float64(radau(3, DOUBLE).integral[-1])
    root = np.sqrt(6.0)
    np.testing.assert_allclose(weights, [(16 - root) / 36, (16 + root) / 36, 1 / 9], rtol=1e-15)


def test_polynomials_of_its_degree_are_exact():
    """x^s is differentiated, integrated and evaluated to rounding, which s^2 enlarges."""
    s = 11
    method = radau(s, LONG_DOUBLE)
    c = method.nodes
    np.testing.assert_allclose(
        to_float64(method.derivative @ c**s - s * c ** (s - 1)), 0, atol=1e-16
    )
    exact = c**s / s
    np.testing.assert_allclose(to_float64(method.integral @ c ** (s - 1) - exact), 0.0, atol=1e-18)
    shares = np.linspace(np.longdouble(0), 1, 7)
    np.testing.assert_allclose(
        to_float64(method.weights_at(shares) @ c**s - shares**s), 0.0, atol=1e-17
    )


def test_dense_output_has_the_digits_of_the_nodes():
    """exp on an element of length 1 is a polynomial of degree 16 to 1e-19."""
    method = radau(16, LONG_DOUBLE)
    shares = np.linspace(np.longdouble(0), 1, 33)
    found = method.weights_at(shares) @ np.expm1(method.nodes)
    np.testing.assert_allclose(to_float64(found - np.expm1(shares)), 0.0, atol=2e-18)


def test_what_cannot_be_built_is_refused():
    for s in (FEWEST - 1, MOST + 1):
        with pytest.raises(SettingError, match="collocation points"):
            radau(s, DOUBLE)
    with pytest.raises(SettingError, match="60 digits"):
        radau(8, multiple(237))
