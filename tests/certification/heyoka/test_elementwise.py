"""Elementwise primitives: numbers stay numbers of their precision, expressions evaluate alike."""

import heyoka as hy
import numpy as np
import pytest
from scipy import special

from gradaudit.certification.heyoka import elementwise
from gradaudit.certification.heyoka.elementwise import RULES, equals, is_number, lift

X, Y = hy.make_vars("x", "y")
UNARY = {
    "sqrt": np.sqrt, "cbrt": np.cbrt, "rsqrt": lambda x: 1.0 / np.sqrt(x), "exp": np.exp,
    "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log1p": np.log1p, "sin": np.sin,
    "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "atanh": np.arctanh,
    "logistic": special.expit, "erf": special.erf, "erfc": special.erfc, "neg": np.negative,
    "square": np.square,
}  # fmt: skip


def evaluated(expression, *values):
    return float(hy.cfunc([expression], [X, Y][: len(values)])(np.array(values))[0])


@pytest.mark.parametrize("name", UNARY)
def test_a_function_of_a_number_and_of_an_expression_agree(name):
    for value in (0.3, 0.8):
        number = RULES[name](value)
        assert is_number(number)
        assert number == pytest.approx(UNARY[name](value), rel=1e-15)
        assert evaluated(RULES[name](X), value) == pytest.approx(number, rel=4e-15)


def test_the_inverse_hyperbolic_cosine_begins_at_one():
    assert RULES["acosh"](1.5) == np.arccosh(1.5)
    assert evaluated(RULES["acosh"](X), 1.5) == pytest.approx(np.arccosh(1.5), rel=4e-15)


@pytest.mark.parametrize(
    ("name", "function"),
    [("add", np.add), ("sub", np.subtract), ("mul", np.multiply), ("div", np.divide)],
)
def test_arithmetic_of_numbers_expressions_and_both(name, function):
    exact = function(0.7, -1.3)
    assert RULES[name](0.7, -1.3) == exact
    assert evaluated(RULES[name](X, Y), 0.7, -1.3) == exact
    assert evaluated(RULES[name](0.7, X), -1.3) == exact
    # heyoka multiplies by the inverse of a constant: one more rounding
    assert evaluated(RULES[name](X, -1.3), 0.7) == pytest.approx(exact, rel=2.3e-16)


def test_constants_are_combined_in_their_own_precision():
    tenth, fifth = np.longdouble("0.1"), np.longdouble("0.2")
    found = RULES["add"](tenth, fifth)
    assert isinstance(found, np.longdouble)
    assert abs(found - np.longdouble("0.3")) <= np.finfo(np.longdouble).eps


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 5, 8])
def test_whole_powers_are_products_and_exist_at_zero(n):
    assert elementwise.power(1.5, n) == pytest.approx(1.5**n, rel=1e-15)
    assert evaluated(elementwise.power(X, n) + 0.0 * X, -1.5) == pytest.approx((-1.5) ** n)
    if n > 1:
        slope = hy.diff(elementwise.power(X, n), X)
        assert evaluated(slope + 0.0 * X, 0.0) == 0.0


def test_other_powers_are_those_of_positive_bases():
    assert evaluated(RULES["pow"](X, 2.5), 1.7) == pytest.approx(1.7**2.5, rel=1e-14)
    assert evaluated(RULES["pow"](X, Y), 1.7, -0.3) == pytest.approx(1.7**-0.3, rel=1e-14)
    assert RULES["pow"](1.7, 2.5) == 1.7**2.5
    assert evaluated(RULES["pow"](X, 3.0), -2.0) == -8.0


@pytest.mark.parametrize(("y", "x"), [(1.0, 2.0), (-1.0, 2.0), (1.0, -2.0), (-3.0, -0.1)])
def test_the_angle_is_right_in_every_quadrant(y, x):
    assert evaluated(elementwise.arctan2(Y, X), x, y) == pytest.approx(np.arctan2(y, x), rel=1e-14)
    assert elementwise.arctan2(y, x) == np.arctan2(y, x)


def test_the_cube_root_of_a_negative_number_is_negative():
    assert evaluated(elementwise.cube_root(X), -8.0) == pytest.approx(-2.0, rel=1e-15)


@pytest.mark.parametrize(("a", "b"), [(0.3, -0.7), (30.0, -30.0), (-2.0, 5.0)])
def test_logarithms_of_sums(a, b):
    exact = np.logaddexp(a, b)
    assert elementwise.log_add_exp(a, b) == exact
    assert evaluated(elementwise.log_add_exp(X, Y), a, b) == pytest.approx(exact, rel=1e-14)
    assert evaluated(elementwise.log_add_exp(X, b), a) == pytest.approx(exact, rel=1e-14)


def test_products_with_the_zeros_and_ones_of_constant_matrices_are_no_arithmetic():
    assert elementwise.sparse_multiply(0.0, X) == 0.0
    assert elementwise.sparse_multiply(X, 1.0) is X
    assert elementwise.sparse_multiply(1.0, X) is X
    assert np.isnan(elementwise.sparse_multiply(0.0, np.nan))
    assert evaluated(elementwise.sparse_multiply(2.0, X), 3.0) == 6.0


def test_constants_are_told_apart_from_expressions():
    assert equals(1, 1)
    assert not equals(2.0, 1)
    assert not equals(lift(1.0), 1)


def test_the_refusal_of_a_branch_says_what_to_declare():
    text = str(elementwise.refuse_branch("max", "model 'm': vector_field"))
    assert text.startswith("model 'm': vector_field: the primitive 'max' switches branches")
    assert 'events={"threshold": gradaudit.Event(when=lambda t, y, p: ...)}' in text


def test_powers_of_numbers_are_numbers_whatever_their_size():
    """A Python float raises for the first and has a complex root for the third."""
    assert elementwise.general_power(1e200, 22.5) == np.inf
    assert elementwise.general_power(0.0, -12.5) == np.inf
    assert np.isnan(elementwise.general_power(-1.0, 0.5))
    assert elementwise.general_power(4.0, 0.5) == 2.0
