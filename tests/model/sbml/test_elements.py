"""What an element of SBML means for states, parameters, rates and initial values."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import ModelError
from gradaudit.errors import ModelWarning
from gradaudit.model.sbml import load_sbml


def test_a_reaction_changes_amounts_and_the_state_is_a_concentration(x, load):
    """c = 2, and the law k S has no factor c: dS/dt = -k S / c."""
    law = x.reaction("decay", "k * S", reactants=[("S", 3)])
    model = load(Species=x.S, Parameters=x.K, Reactions=law)
    assert list(model.states) == ["S"]
    assert list(model.parameters) == ["k"]
    np.testing.assert_allclose(x.rates(model), [-3 * 0.5 * 3.0 / 2.0], rtol=1e-15)
    asked = load(Species=x.S, Parameters=x.K, Reactions=law, only=["k", "c"])
    assert list(asked.parameters) == ["k", "c"]
    np.testing.assert_array_equal(x.rates(asked), x.rates(model))


def test_a_size_that_cancels_is_no_parameter(x, load):
    model = load(Species=x.S, Parameters=x.K, Reactions=x.DECAY)
    assert list(model.parameters) == ["k"]
    np.testing.assert_allclose(x.rates(model), [-1.5], rtol=1e-15)


@pytest.mark.parametrize(
    ("law", "rate"),
    [
        ("c * (k * S - 2 * S)", 4.5),
        ("c * k * S - c * 2 * S", 4.5),
        ("-(c * k * S)", 1.5),
        ("k * (c * S) / (1 + S)", -0.375),
    ],
)
def test_a_size_is_cancelled_wherever_it_is_a_factor(x, load, law, rate):
    model = load(Species=x.S, Parameters=x.K, Reactions=x.reaction("r", law, reactants=[("S", 1)]))
    assert list(model.parameters) == ["k"]
    np.testing.assert_allclose(x.rates(model), [rate], rtol=1e-15)


def test_a_species_in_units_of_substance_is_an_amount(x, load):
    amount = x.species("S", 'initialConcentration="3"', hasOnlySubstanceUnits=True)
    law = x.reaction("r", "k * S", reactants=[("S", 1)])
    model = load(Species=amount, Parameters=x.K, Reactions=law, only=["k", "c"])
    assert model.states["S"][0] == 6.0
    np.testing.assert_allclose(x.rates(model), [-3.0], rtol=1e-15)
    # The amount at the start is the concentration times the size, and depends on it.
    np.testing.assert_array_equal(
        jax.jacobian(model.initial_state)(jnp.asarray(model.nominal)),
        [[0.0, 3.0] if list(model.parameters) == ["k", "c"] else [3.0, 0.0]],
    )


def test_an_initial_amount_becomes_a_concentration_that_depends_on_the_size(x, load):
    amount = x.species("S", 'initialAmount="6"')
    model = load(Species=amount, Parameters=x.K, Reactions=x.DECAY, only=["k", "c"])
    assert model.states["S"][0] == 3.0
    assert dict(model.parameters)["c"][0] == 2.0
    assert model.initial_state is not None
    slope = jax.jacobian(model.initial_state)(jnp.asarray(model.nominal))
    np.testing.assert_allclose(slope, [[0.0, -1.5]], rtol=1e-15)


@pytest.mark.parametrize(
    ("only", "parameters"), [(None, ["k"]), (["B", "X", "k"], ["k", "B", "X"])]
)
def test_a_boundary_species_and_a_constant_one_are_parameters_if_asked_for(
    x, load, only, parameters
):
    model = load(
        only=only,
        Species=x.S
        + x.species("B", boundaryCondition=True)
        + x.species("X", constant=True, boundaryCondition=True),
        Parameters=x.K,
        Reactions=x.reaction(
            "r", "c * k * S * B * X", reactants=[("S", 1), ("B", 1)], modifiers=["X"]
        ),
    )
    assert list(model.states) == ["S"]
    assert list(model.parameters) == parameters
    np.testing.assert_allclose(x.rates(model), [-0.5 * 27.0], rtol=1e-15)


def test_a_species_is_diluted_by_a_compartment_that_grows(x, load):
    """The state is the amount; formulas take the concentration 6 / 2."""
    growing = x.CELL.replace('constant="true"', 'constant="false"')
    model = load(
        Compartments=growing,
        Species=x.S,
        Parameters=x.K + x.parameter("g", 0.1),
        Rules=x.rate_rule("c", "g * c"),
        Reactions=x.DECAY,
    )
    assert {name: value for name, (value, _) in model.states.items()} == {"S": 6.0, "c": 2.0}
    np.testing.assert_allclose(x.rates(model), [-3.0, 0.2], rtol=1e-15)
    np.testing.assert_allclose(x.rates(model, [6.0, 4.0]), [-3.0, 0.4], rtol=1e-15)


def test_rules_local_parameters_functions_and_time(x, load):
    function = (
        '<functionDefinition id="f"><math xmlns="http://www.w3.org/1998/Math/MathML"><lambda>'
        "<bvar><ci>x</ci></bvar><apply><power/><ci>x</ci><cn>2</cn></apply></lambda></math>"
        "</functionDefinition>"
    )
    model = load(
        FunctionDefinitions=function,
        Species=x.S,
        Parameters=x.K + x.parameter("x", 1.0, constant=False) + x.parameter("a", constant=False),
        Rules=x.rate_rule("x", "-x * time") + x.assignment_rule("a", "f(S) + x"),
        Reactions=x.reaction(
            "r",
            "c * k * a",
            reactants=[("S", 1)],
            local='<localParameter id="k" value="7"/>',
        ),
    )
    assert list(model.states) == ["S", "x"]
    assert {name: value for name, (value, _) in model.parameters.items()} == {"r_k": 7.0}
    np.testing.assert_allclose(x.rates(model, [3.0, 2.0], t=5.0), [-77.0, -10.0], rtol=1e-15)


def test_initial_assignments_depend_on_the_parameters(x, load):
    """q never changes and follows from k: it is no parameter, and its derivative is known."""
    model = load(
        Species=x.S,
        Parameters=x.K + x.parameter("q"),
        InitialAssignments=x.initial_assignment("q", "2 * k + S")
        + x.initial_assignment("S", "k * 4"),
        Reactions=x.reaction("r", "c * q * S", reactants=[("S", 1)]),
    )
    assert list(model.parameters) == ["k"]
    assert model.states["S"][0] == 2.0
    np.testing.assert_array_equal(jax.jacobian(model.initial_state)(jnp.array([0.5])), [[4.0]])
    # q = 6 k for ever, whatever S becomes.
    np.testing.assert_allclose(x.rates(model, [10.0]), [-30.0], rtol=1e-15)


def test_real_powers_roots_and_logarithms(x, load):
    model = load(
        Species=x.S,
        Parameters=x.K + x.parameter("h", 2.5),
        Rules=x.rate_rule(
            "S", "k * S^h + S^3 + root(3, S) + sqrt(S) + ln(S) + log10(S) + log(2, S)"
        ),
    )
    expected = 0.5 * 3**2.5 + 27 + 3 ** (1 / 3) + 3**0.5 + np.log(3) + np.log10(3) + np.log2(3)
    np.testing.assert_allclose(x.rates(model), [expected], rtol=1e-14)


def test_a_whole_exponent_is_smooth_at_zero(x, load):
    model = load(Species=x.S, Parameters=x.K, Rules=x.rate_rule("S", "k * (S^2 + S^1)"))
    slope = jax.jacobian(model.vector_field, argnums=1)(0.0, jnp.zeros(1), jnp.array([0.5]))
    np.testing.assert_array_equal(slope, [[0.5]])


def test_what_nothing_depends_on_is_no_parameter(x, load):
    model = load(Species=x.S, Parameters=x.K + x.parameter("idle", 1.0), Reactions=x.DECAY)
    assert list(model.parameters) == ["k"]


def test_a_fixed_parameter_is_a_number(x, load):
    lists = {"Species": x.S, "Parameters": x.K + x.parameter("n", 2.0)}
    lists["Rules"] = x.rate_rule("S", "-k * S^n")
    assert list(load(**lists).parameters) == ["k", "n"]
    model = load(fixed=["n"], **lists)
    assert list(model.parameters) == ["k"]
    np.testing.assert_allclose(x.rates(model), [-4.5], rtol=1e-15)
    with pytest.raises(ModelError, match=r"fixed has 'm',"):
        load(fixed=["m"], **lists)


def test_a_whole_exponent_of_nothing_at_the_start_stays_a_number(x, load):
    """x^n at x = 0 has no Taylor series in n; with n = 2 a product, it has one in all the rest."""
    lists = {"Parameters": x.K + x.parameter("n", 2.0), "Rules": x.rate_rule("S", "k / (1 + S^n)")}
    assert list(load(Species=x.S, **lists).parameters) == ["k", "n"]
    empty = x.species("S", 'initialConcentration="0"')
    with pytest.warns(ModelWarning, match="'n': exponents of what is 0"):
        model = load(Species=empty, **lists)
    assert list(model.parameters) == ["k"]
    reference = gradaudit.reference(model, times=[1.0])
    assert reference.digits >= 10
    # S + S^3 / 3 = k t, so that dS/dk = t / (1 + S^2).
    s = reference.states[0, 0]
    np.testing.assert_allclose(s + s**3 / 3, 0.5, rtol=1e-14)
    np.testing.assert_allclose(reference.sensitivities[0, 0, 0], 1 / (1 + s**2), rtol=1e-14)


def test_units_are_texts(x, write):
    units = (
        '<unitDefinition id="u"><listOfUnits>'
        '<unit kind="mole" exponent="1" scale="-6" multiplier="1"/>'
        '<unit kind="litre" exponent="-1" scale="0" multiplier="1"/>'
        '<unit kind="second" exponent="-1" scale="0" multiplier="60"/>'
        "</listOfUnits></unitDefinition>"
    )
    given = x.K.replace("/>", ' units="u"/>')
    path = write(UnitDefinitions=units, Species=x.S, Parameters=given, Reactions=x.DECAY)
    assert load_sbml(path).parameters["k"] == (0.5, "umol/(L min)")


def numbers_of(x, **values):
    return "".join(x.parameter(name, value) for name, value in values.items())


def test_times_and_amounts_of_doses_are_parameters_if_asked_for(x, load):
    """In an event of the time, and in a comparison with the time."""
    lists = {
        "Parameters": x.K
        + numbers_of(x, T=2.0, D=5.0, off=3.0, high=4.0)
        + x.parameter("S", 1.0, constant=False),
        "Rules": x.rate_rule("S", "piecewise(k, time < off, 0) - k * S"),
        "Events": x.event("dose", "time >= T", S="S + D") + x.event("cap", "S > high", S="S - k"),
    }
    assert list(load(**lists).parameters) == ["k", "high"]
    asked = load(**lists, only=["T", "D", "off"])
    assert list(asked.parameters) == ["T", "D", "off"]


def test_an_amount_that_is_a_rate_too_is_a_parameter(x, load):
    model = load(
        Parameters=x.K + numbers_of(x, T=2.0, D=5.0) + x.parameter("S", 1.0, constant=False),
        Rules=x.rate_rule("S", "D - k * S"),
        Events=x.event("dose", "time >= T", S="S + D"),
    )
    assert list(model.parameters) == ["k", "D"]


def test_where_nothing_else_is_a_parameter_initial_values_are(x, load):
    model = load(Species=x.S, Reactions=x.reaction("r", "S", reactants=[("S", 1)]))
    assert list(model.parameters) == ["S(0)"]


def test_a_parameter_cannot_be_asked_for_and_be_fixed(load, x):
    with pytest.raises(ModelError, match="'k' is in only and in fixed; leave it out of one"):
        load(Species=x.S, Parameters=x.K, Reactions=x.DECAY, only=["k"], fixed=["k"])
