"""Formulas of observables: numbers in them are not rounded to float64, and what cancels is told."""

from __future__ import annotations

import random

import mpmath
import numpy as np
import pytest
import sympy

import gradaudit
from gradaudit.problem.formulas import parsed
from gradaudit.problem.inputs import product_of_sizes
from problem_closed_forms import closed_form, density

OBSERVABLES = "observableId observableFormula noiseFormula"
FORMULAS = {
    # terms that cancel: one part in 1e10 of them is left
    "(1-cos(1e-5*A))/1e-10": lambda a: (1 - mpmath.cos(mpmath.mpf(1e-5) * a)) / mpmath.mpf(1e-10),
    "1e6*(A/3-0.333333*A)": lambda a: 10**6 * (a / 3 - mpmath.mpf(0.333333) * a),
    "log10(1+1e-6*A)": lambda a: mpmath.log10(1 + mpmath.mpf(1e-6) * a),
}


@pytest.mark.parametrize("text", FORMULAS)
def test_digits_that_are_claimed_hold_where_a_formula_cancels(write, text):
    exact = FORMULAS[text]
    found = gradaudit.reference_gradient(
        gradaudit.load_problem(write(observables=[OBSERVABLES, f"o {text} 0.5"])), digits=6.0
    )

    def likelihood(k):
        rows = ((0, 1.5), (2, 1))
        return sum(density(own, exact(2 * mpmath.exp(-k * t)), 0.5) for t, own in rows)

    value, gradient = closed_form(likelihood, [0.5], ["log10"])
    assert abs(found.value - value) <= found.value_bound
    assert abs(float(found.gradient[0] - gradient[0])) <= found.bounds[0]
    assert float(found.digits) >= 6.0


def test_numbers_that_follow_from_whole_ones_are_not_rounded_to_float64():
    """log10(x) is log(x) / log(10): float64 would be wrong by 1e-17."""
    x = np.array([[np.longdouble(7)]])
    with mpmath.workprec(120):
        assert abs(_number(parsed("log10(x)", "here").value(x)[0]) - mpmath.log10(7)) <= 2e-19


def _number(x):
    return mpmath.mpf(float(x)) + mpmath.mpf(float(x - float(x)))


def test_what_cancels_is_told_in_values_and_slopes():
    """Of 1 - cos(1e-5 x) in long double 1e-9 is noise; `off` says so, within a factor of 1e4."""
    x = np.linspace(1, 2, 20)[:, None].astype(np.longdouble)
    formula = parsed("(1-cos(1e-5*x))/1e-10", "here")
    value, slope = formula.off(x)
    with mpmath.workprec(200):
        exact = [FORMULAS["(1-cos(1e-5*A))/1e-10"](_number(a)) for a in x[:, 0]]
        errors = [float(abs(_number(f) - e)) for f, e in zip(formula.value(x), exact, strict=True)]
    assert all(error <= bound for error, bound in zip(errors, value, strict=True))
    assert value.max() <= 1e4 * max(errors)
    assert slope.shape == (20, 1)


def test_a_product_is_off_by_its_rounding_alone():
    x = np.linspace(1, 2, 20)[:, None].astype(np.longdouble) / 3
    value, _ = parsed("2.5*x", "here").off(x)
    assert value.max() <= 1e-16


@pytest.mark.parametrize("count", [13, 15, 21, 23, 32])
def test_a_number_that_float64_happens_to_have_well_is_rounded_all_the_same(count):
    """In float64 log(15) is wrong by 1e-17, a tenth of what is usual; what is left of it is not."""
    x = np.array([[np.longdouble(np.log(count) * (1 + 1e-9))]])
    formula = parsed(f"log({count})-x", "here")
    with mpmath.workprec(200):
        wrong = abs(_number(formula.value(x)[0]) - (mpmath.log(count) - _number(x[0, 0])))
    assert float(wrong) <= float(formula.off(x)[0][0]) <= 1e-17


def test_numbers_within_a_case_are_not_rounded_to_float64():
    """log10 has log(10), which float64 has wrong in the 17th digit; 8 of them cancel."""
    x = np.array([[np.longdouble(7)], [np.longdouble(3)]])
    formula = parsed("piecewise(100000000*log10(x)-43429448*log(x), x > 0.5, 1)", "here")
    with mpmath.workprec(200):
        for value, at in zip(formula.value(x), (7, 3), strict=True):
            exact = 10**8 * mpmath.log10(at) - 43429448 * mpmath.log(at)
            assert abs(_number(value) - exact) <= 1e-10


def test_an_exponent_less_one_is_not_rounded_to_float64():
    """d x^0.3 / dx = 0.3 x^(0.3 - 1): 0.3 - 1 has one digit more than float64 can hold."""
    x = np.array([[np.longdouble(1e-10)]])
    slope = parsed("x^0.3", "here").gradient(x)[0, 0]
    with mpmath.workprec(200):
        power = mpmath.mpf(0.3)
        exact = power * _number(x[0, 0]) ** (power - 1)
        assert abs(_number(slope) / exact - 1) <= 1e-17


def test_what_is_infinite_in_float64_leaves_the_bounds_of_other_entries_alone():
    formula = parsed("exp(500*x)/(exp(500*x)+2)+y", "here")
    x = np.array([[np.longdouble(2), np.longdouble(1)]])
    value, slope = formula.off(x)
    assert np.isinf(value[0])
    assert np.isinf(slope[0, 0])
    weighed = product_of_sizes("ra,rak->rk", slope, np.eye(2)[None])
    np.testing.assert_array_equal(weighed, [[np.inf, 0.0]])


def _random_formula(draw, depth):
    if depth == 0:
        return draw.choice(["a", "b", "c", f"{draw.uniform(0.1, 3):.3f}", str(draw.randint(2, 9))])
    one, other = (_random_formula(draw, depth - 1) for _ in range(2))
    form = draw.choice(
        ["({0}+{1})", "({0}+{1})", "({0}-{1})", "({0}*{1})", "({0}/({1}+0.5))", "exp(-{0})",
         "log(abs({0})+3)", "({0}*{0}+1)^0.7"]
    )  # fmt: skip
    return form.format(one, other)


@pytest.mark.slow
def test_no_random_formula_is_off_by_more_than_told():
    """Constant slopes are rounded once, which `ROUNDING` of a sum has; `off` counts operations."""
    draw, numbers, told = random.Random(3), np.random.default_rng(3), 0
    for _ in range(60):
        formula = parsed(_random_formula(draw, draw.randint(1, 3)), "here")
        if not formula.names:
            continue
        x = numbers.uniform(0.2, 3, (1, len(formula.names))).astype(np.longdouble) / 3
        symbols = [sympy.Symbol(name, real=True) for name in formula.names]
        slopes = [sympy.diff(formula.tree, symbol) for symbol in symbols]
        exactly = sympy.lambdify(symbols, [formula.tree, *slopes], "mpmath")
        found = [formula.value(x)[0], *formula.gradient(x)[0]]
        value, slope = formula.off(x)
        with mpmath.workprec(200):
            exact = exactly(*map(_number, x[0]))
        for got, right, bound in zip(found, exact, [value[0], *slope[0]], strict=True):
            with mpmath.workprec(200):
                error = float(abs(_number(got) - right))
            told += bound > 0.0
            assert error <= bound or error <= 1.1e-19 * abs(float(right)), formula.text
    assert told > 60
