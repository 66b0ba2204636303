"""Rules of a model in long double: right to their bounds, and in float64 where that cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import gradaudit
from gradaudit.certification.heyoka.precision import LONG_DOUBLE, QUAD, available, to_quad
from gradaudit.problem.rule_values import DOUBLE_ROUNDING, in_double, in_more

pytestmark = pytest.mark.skipif(not available(LONG_DOUBLE), reason="no long double here")


@dataclass(frozen=True, eq=False)
class Rules:
    """Stands for a model in SBML with one state x and one parameter k."""

    rules: Any

    @property
    def model(self):
        return gradaudit.Model(
            name="rules",
            vector_field=lambda t, y, p: -p * y,
            states={"x": (1.0, "1")},
            parameters={"k": (0.3, "1")},
            t_end=1.0,
        )

    @property
    def layout(self):
        return self

    def lookup(self, t, y, p):
        return lambda name: self.rules[name](t, y[0], p[0])


POINTS = np.array([[1 / np.longdouble(3), 0.7], [np.sqrt(np.longdouble(2)), 3.1]], np.longdouble)
TIMES = np.array([0.5, 2.0])
RULES = {
    "difference": (lambda t, x, k: (1 + x) ** 6 - x**6 - 6 * x**5 - k * t, None),
    "hill": (lambda t, x, k: x**2.5 / (k**2.5 + x**2.5), None),
    "saturation": (lambda t, x, k: 1e8 + jnp.log1p(x * k) - 1e8, lambda t, x, k: mp.log1p(x * k)),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("points", ["long double", "quad"])
@pytest.mark.parametrize("name", RULES)
def test_value_and_slopes_are_right_to_their_bounds_and_beyond_float64(name, points):
    """In mpmath with 50 digits. "saturation" has intermediate results far above its terms.

    XLA cancels its constants, so that float64 is there no worse.
    """
    rule, exact = RULES[name]
    if points == "quad" and not available(QUAD):
        pytest.skip("heyoka has no quad precision here")
    own = POINTS if points == "long double" else to_quad(POINTS, LONG_DOUBLE)
    found = in_more(Rules({name: rule}), (name,), own, TIMES)
    unit = DOUBLE_ROUNDING if points == "long double" else 16 * LONG_DOUBLE.eps
    for row in range(len(TIMES)):
        terms = _check(exact or rule, found, row)
        bound = found.rounding[row, 0] * terms + found.value_off[row, 0]
        if exact is None:
            assert bound < 0.01 * unit * terms


def _check(exact, found, row):
    """That value and slopes at a point are within their bounds; returns the size of the terms."""
    with mp.workdps(50):
        t, (x, k) = mp.mpf(TIMES[row]), (_mp(v) for v in POINTS[row])
        value = exact(t, x, k)
        slope = [mp.diff(lambda v: exact(t, v, k), x), mp.diff(lambda v: exact(t, x, v), k)]
        curved = [
            [mp.diff(lambda u, v: exact(t, u, v), (x, k), order) for order in orders]
            for orders in (((2, 0), (1, 1)), ((1, 1), (0, 2)))
        ]
        terms = float(abs(value) + abs(slope[0] * x) + abs(slope[1] * k))
        bound = found.rounding[row, 0] * terms + found.value_off[row, 0]
        assert abs(_mp(found.value[row, 0]) - value) <= float(bound)
        for z in range(2):
            inner = float(abs(slope[z]) + abs(curved[z][0] * x) + abs(curved[z][1] * k))
            bound = found.rounding[row, 0] * inner + found.slope_off[row, 0, z]
            assert abs(_mp(found.slope[row, 0, z]) - slope[z]) <= float(bound)
    return terms


def bound_complex(m, e):
    """Of an enzyme of concentration e with 1 of what it binds, at a constant of 0.3."""
    total = e + 1.3
    return (total - m.sqrt(total**2 - 4 * e)) / 2


CANCELLING = {
    "tight binding": lambda m, t, x, k: bound_complex(m, 2.0**-43 * x),
    "square": lambda m, t, x, k: (2e6 * k + x) ** 2 - (2e6 * k) ** 2 - 4e6 * k * x,
    "small angle": lambda m, t, x, k: (1 - m.cos(2.0**-20 * x)) * 2.0**40 * k,
    "saturated": lambda m, t, x, k: 1 - m.tanh(9 * k),
}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("switched", [False, True])
@pytest.mark.parametrize("name", CANCELLING)
def test_what_float64_has_few_digits_of(name, switched):
    """Its terms cancel in float64 to few digits or none, so that the two precisions disagree.

    With a switch the rule is evaluated in long double point by point.
    """
    rule = CANCELLING[name]

    def in_jax(t, x, k):
        value = rule(jnp, t, x, k)
        return jnp.where(x > 0.1, value, 0.0) if switched else value

    found = in_more(Rules({name: in_jax}), (name,), POINTS, TIMES)
    for row in range(1 if name == "saturated" and switched else 2):
        terms = _check(lambda t, x, k: rule(mp, t, x, k), found, row)
        if not switched:
            assert found.value_off[row, 0] <= found.rounding[row, 0] * terms


@pytest.mark.parametrize(
    ("rule", "exact"),
    [
        (lambda t, x, k: jnp.where(x > 0.2, x * jnp.sqrt(k), k), lambda t, x, k: x * mp.sqrt(k)),
        (
            lambda t, x, k: jnp.where(x == k, 1.0, jnp.sin(x - k) / (x - k)),
            lambda t, x, k: mp.sin(x - k) / (x - k),
        ),
    ],
)
def test_what_switches_is_evaluated_point_by_point(rule, exact):
    found = in_more(Rules({"rule": rule}), ("rule",), POINTS, TIMES)
    for row in range(len(TIMES)):
        terms = _check(exact, found, row)
        assert found.rounding[row, 0] * terms + found.value_off[row, 0] < DOUBLE_ROUNDING * terms


def test_what_has_no_expression_is_in_float64():
    def rule(t, x, k):
        return jnp.where(jnp.isnan(jax.lax.bessel_i0e(x)), x, k)

    translation = Rules({"rule": rule})
    found = in_more(translation, ("rule",), POINTS, TIMES)
    plain = in_double(translation, ("rule",), POINTS.astype(float), TIMES)
    for mine, theirs in zip(found, plain, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def _mp(x):
    if not isinstance(x, np.floating):  # quad, which is printed with all digits
        return mp.mpf(str(x))
    high = float(x)
    return mp.mpf(high) + mp.mpf(float(x - np.longdouble(high)))
