"""Quotients of x and exp(x) - 1, through x = 0."""

import heyoka as hy
import numpy as np
import pytest

from gradaudit.certification.heyoka.elementwise import RULES
from gradaudit.certification.heyoka.removable_singularities import Quotients, growth

X = hy.make_vars("x")


def at(expression, value):
    return float(hy.cfunc([expression], [X])(np.array([value]))[0])


@pytest.mark.parametrize("x", [-50.0, -1.0, -1e-9, 1e-9, 0.5, 3.0, 40.0])
def test_growth_is_expm1_over_x(x):
    """A product of 20 factors: 20 roundings, 4e-15."""
    assert at(growth(X), x) == pytest.approx(np.expm1(x) / x, rel=4e-15)


def test_growth_and_its_slope_exist_at_zero():
    assert at(growth(X), 0.0) == 1.0
    assert at(hy.diff(growth(X), X), 0.0) == pytest.approx(0.5, rel=1e-14)


def quotient(sign=1, factor=1.0, inside=1.0, *, invert=False):
    """(factor x) / (sign (exp(inside x) - 1)) or its inverse, as it is recognised."""
    known = Quotients()
    top = known.multiple(RULES["mul"](factor, X), factor, X) if factor != 1.0 else X
    argument = known.multiple(RULES["mul"](inside, X), inside, X) if inside != 1.0 else X
    bottom = known.difference(sign * hy.expm1(argument), sign, argument)
    return known.quotient(bottom, top) if invert else known.quotient(top, bottom)


@pytest.mark.parametrize(
    ("sign", "factor", "inside"), [(1, 1.0, 1.0), (-1, 0.1, -0.1), (1, 3.0, 2.0)]
)
@pytest.mark.parametrize("invert", [False, True])
def test_a_rate_of_hodgkin_and_huxley_goes_through_its_singularity(sign, factor, inside, invert):
    found = quotient(sign, factor, inside, invert=invert)
    assert found is not None
    for x in (-2.0, 0.7):
        exact = factor * x / (sign * np.expm1(inside * x))
        assert at(found, x) == pytest.approx(1.0 / exact if invert else exact, rel=1e-14)
    limit = factor / (sign * inside)
    assert at(found, 0.0) == pytest.approx(1.0 / limit if invert else limit, rel=1e-14)


def test_a_multiple_of_a_multiple_is_one_of_the_base():
    known = Quotients()
    twice = known.multiple(2.0 * X, 2.0, X)
    six = known.multiple(3.0 * twice, 3.0, twice)
    bottom = known.difference(hy.expm1(X), 1, X)
    assert at(known.quotient(six, bottom), 0.0) == pytest.approx(6.0, rel=1e-14)


def test_other_quotients_are_left_alone():
    y = hy.make_vars("y")
    known = Quotients()
    difference = known.difference(hy.expm1(X), 1, X)
    assert known.quotient(y, difference) is None
    assert known.quotient(X, hy.exp(X)) is None
    assert known.quotient(2.0, difference) is None
    assert known.multiple(2.0, 2.0, 1.0) == 2.0
    assert known.multiples == {}
