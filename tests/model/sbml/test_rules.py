"""Algebraic rules, rates of quantities, step functions, branches in comparisons."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import ModelError
from gradaudit.errors import ModelWarning


def algebraic(x, formula: str) -> str:
    return f"<algebraicRule>{x.mathml(formula)}</algebraicRule>"


def test_an_algebraic_rule_is_solved_for_what_nothing_else_determines(x, load):
    """0 = (k + 1) S - 2 T: T follows from S, for which there is a rate."""
    model = load(
        Parameters=x.K + x.parameter("S", 3.0, constant=False) + x.parameter("T", constant=False),
        Rules=x.rate_rule("S", "-T") + algebraic(x, "(k + 1) * S - 2 * T"),
    )
    assert list(model.states) == ["S"]
    np.testing.assert_allclose(x.rates(model, [3.0], [0.5]), [-1.5 * 3.0 / 2.0], rtol=1e-15)


def test_algebraic_rules_are_matched_with_their_variables(x, load):
    """0 = a + b - k and 0 = 3 b - S: b = S / 3, a = k - b."""
    model = load(
        Parameters=x.K
        + x.parameter("S", 3.0, constant=False)
        + "".join(x.parameter(name, constant=False) for name in "ab"),
        Rules=algebraic(x, "a + b - k") + algebraic(x, "3 * b - S") + x.rate_rule("S", "a"),
    )
    np.testing.assert_allclose(x.rates(model, [3.0], [0.5]), [0.5 - 1.0], rtol=1e-15)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("S - k", "0 = S - k has no variable that it alone determines"),
        ("T^2 - S", r"0 = T\^2 - S cannot be solved for 'T'"),
    ],
)
def test_an_algebraic_rule_without_a_linear_solution_is_refused(x, load, formula, message):
    with pytest.raises(ModelError, match=message):
        load(
            Parameters=x.K
            + x.parameter("S", 3.0, constant=False)
            + x.parameter("T", 1.0, constant=False),
            Rules=x.rate_rule("S", "-k * T") + algebraic(x, formula),
        )


def test_rate_of_is_the_derivative_of_a_quantity(x, load):
    """S is a concentration in a compartment of size 2: S' = -k S; x' = S' + 2."""
    model = load(
        Species=x.S,
        Parameters=x.K + x.parameter("x", 1.0, constant=False),
        Reactions=x.DECAY,
        Rules=x.rate_rule("x", "rateOf(S) + 2 + rateOf(k)"),
    )
    np.testing.assert_allclose(x.rates(model, [3.0, 1.0], [0.5]), [-1.5, 0.5], rtol=1e-15)


def test_rate_of_a_concentration_has_the_change_of_its_compartment(x, load):
    """Of n = 6 in V = 2, V' = k V: (n / V)' = -k n / V."""
    cell = '<compartment id="c" size="2" spatialDimensions="3" constant="false"/>'
    model = load(
        Compartments=cell,
        Species=x.S,
        Parameters=x.K + x.parameter("x", 1.0, constant=False),
        Rules=x.rate_rule("c", "k * c") + x.rate_rule("x", "rateOf(S)"),
    )
    rates = dict(zip(model.states, x.rates(model), strict=True))
    assert rates == {"S": 0.0, "c": 1.0, "x": -0.5 * 3.0}


def test_step_functions_are_those_of_mathml(x, load):
    formulas = ("floor(S)", "ceil(S)", "rem(S, 2)", "quotient(S, 2)", "factorial(3)")
    names = "uvwyz"
    model = load(
        Parameters=x.K
        + x.parameter("S", 3.0, constant=False)
        + "".join(x.parameter(n, 0.0, constant=False) for n in names),
        Rules=x.rate_rule("S", "k")
        + "".join(x.rate_rule(n, f) for n, f in zip(names, formulas, strict=True)),
    )
    for s, expected in ((4.5, [4, 5, 0.5, 2, 6]), (-4.5, [-5, -4, -0.5, -2, 6])):
        computed = x.rates(model, [s, *([0.0] * 5)])[1:]
        np.testing.assert_allclose(computed, expected, rtol=1e-15)
    when = model.events["floor(S)"].when
    values = [float(when(0.0, jnp.asarray([s, *([0.0] * 5)]), model.nominal)) for s in (1.5, 2.5)]
    np.testing.assert_allclose(values, [-1.0, 1.0], rtol=1e-15)


@pytest.mark.slow
def test_sensitivities_go_through_steps(x, load):
    """S' = 1 + floor(k t) with k = 1/2 is 2 from t = 2: S(3) = 3 + 3 - 1 / k."""
    model = load(
        Parameters=x.K + x.parameter("S", 0.0, constant=False),
        Rules=x.rate_rule("S", "1 + floor(k * time)"),
    )
    reference = gradaudit.reference(model, times=[3.0])
    assert reference.status == "ok"
    np.testing.assert_allclose(reference.states[0], [4.0], rtol=1e-13)
    np.testing.assert_allclose(reference.sensitivities[0, 0], [4.0], rtol=1e-12)


def test_branches_in_a_comparison_become_comparisons(x, load):
    """S > piecewise(k, time < 2, 2 k): S = 3 exp(-t) passes k / 2 k at a time of its own.

    S' is -S above, and 0 below: S stays at 2 k = 1 from t = log 3 on, which is less than 2.
    """
    model = load(
        Parameters=x.K + x.parameter("S", 3.0, constant=False),
        Rules=x.rate_rule("S", "piecewise(-S, S > piecewise(2 * k, time < 2, k), -k)"),
    )
    assert {"time < 2", "S > (2 * k)", "S > k"} <= set(model.events)
    reference = gradaudit.reference(model, times=[1.5])
    assert reference.status == "ok"
    # after log(3 / 2 k) at the rate -k
    expected = 1.0 - 0.5 * (1.5 - np.log(3.0))
    slope = 2.0 - (1.5 - np.log(3.0)) - 0.5 / 0.5
    np.testing.assert_allclose(reference.states[0], [expected], rtol=1e-13)
    np.testing.assert_allclose(reference.sensitivities[0, 0], [slope], rtol=1e-12)


def test_branches_of_a_rule_are_found_in_comparisons(x, load):
    model = load(
        Parameters=x.K + x.parameter("S", 3.0, constant=False) + x.parameter("L", constant=False),
        Rules=x.assignment_rule("L", "max(k, time)") + x.rate_rule("S", "piecewise(-S, S > L, 0)"),
    )
    assert {"k >= time", "S > k", "S > time"} <= set(model.events)


def test_elements_without_a_formula_have_no_effect(x, load):
    model = load(
        Parameters=x.K + "".join(x.parameter(n, 3.0, constant=False) for n in "SA"),
        Rules=x.rate_rule("S", "-k * S") + '<assignmentRule variable="A"/>',
        Events=x.event("e", "S < 1", S="3").replace(x.mathml("S < 1"), ""),
    )
    assert (list(model.states), model.events) == (["S"], {})


def test_initial_values_are_parameters_where_there_are_no_others(x, load):
    model = load(
        Parameters=x.parameter("S", 3.0, constant=False),
        Rules=x.rate_rule("S", "-S"),
    )
    assert dict(model.parameters) == {"S(0)": (3.0, "")}
    assert model.initial_state(jnp.asarray([4.0]))[0] == 4.0


def test_an_initial_value_can_be_fixed_by_its_name(x, load):
    model = load(
        fixed=["S(0)"],
        Parameters=x.parameter("S", 3.0, constant=False) + x.parameter("T", 1.0, constant=False),
        Rules=x.rate_rule("S", "-S") + x.rate_rule("T", "S"),
    )
    assert list(model.parameters) == ["T(0)"]


def test_a_model_in_which_nothing_changes_has_a_constant_state(x, load):
    with pytest.warns(ModelWarning, match="nothing changes with time"):
        model = load(
            Parameters=x.K + x.parameter("A", constant=False),
            Rules=x.assignment_rule("A", "k * time"),
        )
    assert (list(model.states), list(model.parameters)) == (["constant"], ["constant(0)"])
