"""Terms that cancel beyond the digits of long double leave a gradient right to its bounds."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import gradaudit
from gradaudit.certification.heyoka.precision import LONG_DOUBLE, QUAD, available, to_quad
from gradaudit.problem.formulas import parsed
from gradaudit.problem.likelihood import Sum
from problem_closed_forms import assert_certified, closed_form, density

pytestmark = pytest.mark.skipif(not available(QUAD), reason="heyoka has no quad precision here")

PARAMETERS = [
    "parameterId parameterScale lowerBound upperBound nominalValue estimate",
    "k log10 1e-3 1e2 0.5 1",
    "factor log 0.1 10 1.25 1",
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("formula", "scale", "left"),
    [
        # of 19 digits in long double, 64 units of rounding would leave eight
        ("factor*A", "lin", 1e-9),
        ("factor*total/(1+A)", "lin", 1e-9),
        ("factor*A+0.1", "log10", 1e-9),
        # smaller than its first bound, so that it might vanish
        ("factor*A", "lin", 3e-14),
    ],
)
def test_a_billionth_of_the_terms_has_its_digits(write, formula, scale, left):
    """The observable is a state, with a rule, or logarithmic; over two conditions."""
    shape = {
        "factor*A": lambda a, factor: factor * a,
        "factor*total/(1+A)": lambda a, factor: factor * 2 * (a + mpmath.mpf(1) / 2) / (1 + a),
        "factor*A+0.1": lambda a, factor: factor * a + mpmath.mpf(0.1),
    }[formula]
    starts = {"c": 2, "d": 2.5}

    def simulated(start, k, factor):
        return shape(start * mpmath.exp(-2 * k), factor)

    def slope(start):
        image = (lambda x: x) if scale == "lin" else mpmath.log10
        return mpmath.diff(lambda k: image(simulated(start, k, mpmath.mpf(1.25))), mpmath.mpf(0.5))

    with mpmath.workdps(50):
        at = {name: simulated(start, mpmath.mpf(0.5), 1.25) for name, start in starts.items()}
        if scale == "lin":
            off = {"c": 1, "d": -(1 - left) * slope(2) / slope(2.5)}
            measured = {name: float(at[name] + off[name]) for name in starts}
        else:
            off = {"c": 0.25, "d": -0.25 * (1 - left) * slope(2) / slope(2.5)}
            measured = {name: float(at[name] * 10 ** off[name]) for name in starts}
    problem = gradaudit.load_problem(
        write(
            parameters=PARAMETERS,
            conditions=["conditionId a0", "c 2", "d 2.5"],
            observables=[
                "observableId observableFormula noiseFormula observableTransformation",
                f"o {formula} 0.5 {scale}",
            ],
            measurements=[
                "observableId simulationConditionId time measurement",
                *(f"o {name} 2 {measured[name]!r}" for name in starts),
            ],
        )
    )

    def exact(k, factor):
        return sum(
            density(measured[name], simulated(start, k, factor), 0.5, scale)
            for name, start in starts.items()
        )

    found = gradaudit.reference_gradient(problem, digits=11.0)
    assert_certified(found, *closed_form(exact, [0.5, 1.25], ["log10", "log"]))
    assert found.sizes[0] > 1e8 * abs(found.gradient[0])


@pytest.mark.parametrize(
    "text",
    [
        "a/(b+c)", "log10(a*0.3+b)/c", "exp(-a)*b^1.7 + 1/3", "a^(-2)*sqrt(b)", "abs(a-b)*c",
        "piecewise(a, b<c, a*b)", "piecewise(a, b<0.7 && c>1/3, a*b)", "max(a,b)+c",
        "a^b", "tanh(a)+log(b)", "b^2/a^3 + 0.1",
    ],
)  # fmt: skip
def test_a_formula_in_quad_precision_has_its_digits(text):
    """Four operations at most, each right to one unit, on inputs that are no larger than 2."""
    formula = parsed(text, "here")
    z = np.random.default_rng(0).random((4, len(formula.names))) + 0.5
    quads = to_quad(z.astype(np.longdouble), LONG_DOUBLE)
    fine = (formula.value(quads)[:, None], formula.gradient(quads))
    plain = z.astype(np.longdouble)
    for own, other in zip(
        fine, (formula.value(plain)[:, None], formula.gradient(plain)), strict=True
    ):
        assert own.dtype == QUAD.fp_type
        np.testing.assert_allclose(own.astype(float), other.astype(float), rtol=1e-15, atol=1e-16)
    with mpmath.workdps(50):
        for row, values in enumerate(z):
            exact = formula.tree.evalf(
                50, subs={s: mpmath.mpf(v) for s, v in zip(_symbols(formula), values, strict=True)}
            )
            wrong = abs(mpmath.mpf(str(fine[0][row, 0])) - mpmath.mpf(str(exact)))
            assert wrong <= 8 * QUAD.eps * max(1, abs(mpmath.mpf(str(exact))))


def _symbols(formula):
    return sorted(formula.tree.free_symbols, key=lambda symbol: symbol.name)


def test_a_sum_keeps_what_long_double_loses():
    one, tiny = np.ones(1, np.longdouble), np.full(1, 1e-25, np.longdouble)
    terms = [one, tiny, -one, tiny]
    total = sum((Sum(0, 0, term, 0, 0) for term in terms[1:]), start=Sum(0, 0, terms[0], 0, 0))
    assert total.gradient[0] == 2 * tiny[0]
    endless = Sum(0, 0, np.array([np.inf], np.longdouble), 0, 0) + total
    assert endless.gradient[0] == np.inf
    assert endless.rest[0] == 0
