"""A formula divided by a name that is a factor of it."""

import libsbml
import pytest

from gradaudit.model.sbml.factors import without_factor


def divided(formula, factor="c"):
    before = libsbml.parseL3Formula(formula)
    result = without_factor(before, factor)
    assert libsbml.formulaToL3String(before) == libsbml.formulaToL3String(
        libsbml.parseL3Formula(formula)
    )
    return None if result is None else libsbml.formulaToL3String(result)


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("c", "1"),
        ("c * k * S", "1 * k * S"),
        ("k * S * c", "k * S * 1"),
        ("c * (a + b)", "1 * (a + b)"),
        ("c * a - c * b", "1 * a - 1 * b"),
        ("-c", "-1"),
        ("c * a / (K + a)", "1 * a / (K + a)"),
        ("(c * a + b * c) * d", "(1 * a + b * 1) * d"),
        ("c * c", "1 * c"),
    ],
)
def test_a_factor_is_cancelled_once(formula, result):
    assert divided(formula) == result


@pytest.mark.parametrize(
    "formula", ["k * S", "c * a + b", "a / c", "c^2", "exp(c)", "a - c", "1", "k * f(c)"]
)
def test_what_is_no_factor_cannot_be_cancelled(formula):
    assert divided(formula) is None
