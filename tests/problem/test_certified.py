"""The gradient of the log-likelihood is that of the closed form, to the digits that are claimed."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest

import gradaudit
from gradaudit.problem import certified, simulation, solving
from gradaudit.problem.certified import held_digits
from gradaudit.problem.likelihood import ROUNDING
from gradaudit.problem.noise import terms
from gradaudit.problem.simulation import Solves
from problem_closed_forms import DIGITS, assert_certified, closed_form, density

PARAMETERS = "parameterId parameterScale lowerBound upperBound nominalValue estimate"
OBSERVABLES = (
    "observableId observableFormula noiseFormula observableTransformation noiseDistribution"
)
MEASUREMENTS = (
    "observableId simulationConditionId time measurement observableParameters noiseParameters"
)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("scale", ["lin", "log", "log10"])
@pytest.mark.parametrize("distribution", ["normal", "laplace"])
def test_scales_placeholders_noise_and_replicates(write, scale, distribution):
    problem = gradaudit.load_problem(
        write(
            parameters=[
                PARAMETERS,
                "k log10 1e-3 1e2 0.5 1",
                "factor log 0.1 10 1.25 1",
                "sigma lin 0 10 0.5 1",
                "shift lin 0 10 0.25 0",
            ],
            observables=[
                OBSERVABLES,
                "o observableParameter1_o*A+shift "
                f"noiseParameter1_o*(1+o)^2+noiseParameter2_o {scale} {distribution}",
            ],
            measurements=[
                MEASUREMENTS,
                "o c 0 1.5 factor sigma;0.125",
                "o c 2 1 1.5 sigma;0.125",
                "o c 2 1.25 1.5 0.25;sigma",
            ],
        )
    )

    def exact(k, factor, sigma):
        total = mpmath.mpf(0)
        rows = (
            (0, 1.5, factor, sigma, 0.125),
            (2, 1, 1.5, sigma, 0.125),
            (2, 1.25, 1.5, 0.25, sigma),
        )
        for t, measured, gain, first, second in rows:
            h = gain * 2 * mpmath.exp(-k * t) + 0.25
            s = first * (1 + h) ** 2 + second
            total += density(measured, h, s, scale, distribution == "laplace")
        return total

    assert problem.parameters.names == ("k", "factor", "sigma")
    assert problem.parameters.scales == ("log10", "log", "lin")
    np.testing.assert_allclose(problem.parameters.nominal, [np.log10(0.5), np.log(1.25), 0.5])
    found = gradaudit.reference_gradient(problem)
    assert_certified(found, *closed_form(exact, [0.5, 1.25, 0.5], ["log10", "log", "lin"]))
    # the same states, certified for another column
    assert problem.log_likelihood() == pytest.approx(found.value, rel=1e-14)


@pytest.mark.slow
def test_conditions_set_parameters_initial_values_and_compartments_and_rules_follow(write):
    problem = gradaudit.load_problem(
        write(
            parameters=[
                PARAMETERS,
                "rate log10 1e-3 1e2 0.5 1",
                "start lin 0 10 1.5 1",
                "size lin 0 10 4 1",
                "gain lin 0 10 3 1",
            ],
            conditions=["conditionId k A cell", "c rate start size", "d 0.25 _ 2"],
            observables=["observableId observableFormula noiseFormula", "o total+time 0.5"],
            measurements=[
                "observableId simulationConditionId time measurement",
                "o c 1 1.5",
                "o c 3 1",
                "o d 2 2",
            ],
        )
    )

    def exact(rate, start, size, gain):
        c = [gain * (start * mpmath.exp(-rate * t) + 1 / size) + t for t in (1, 3)]
        d = gain * (3 * mpmath.exp(mpmath.mpf("-0.5")) + mpmath.mpf(1) / 2) + 2
        return density(1.5, c[0], 0.5) + density(1, c[1], 0.5) + density(2, d, 0.5)

    found = gradaudit.reference_gradient(problem)
    values, scales = [0.5, 1.5, 4, 3], ["log10", "lin", "lin", "lin"]
    assert_certified(found, *closed_form(exact, values, scales))
    parts = list(found.by_condition.values())
    assert list(found.by_condition) == ["c", "d"]
    assert sum(value for value, _ in parts) == pytest.approx(found.value, rel=1e-14)
    np.testing.assert_allclose(sum(g for _, g in parts), found.gradient, rtol=1e-13)
    assert parts[1][1][0] == 0.0  # this condition has a rate of its own


@pytest.mark.slow
def test_terms_that_cancel_leave_the_digits_of_a_rule_in_long_double(write):
    """total = gain (A + B) with A = 2 exp(-k t) and B = 1/2; one part in 2e5 is left.

    Rounding of the rule in float64, 16 units of each term, would leave nine digits.
    """
    rule = 2 * (2 * np.exp(-1.0) + 0.5)
    above, below = float(rule + 1), float(rule - 1 + 1e-5)
    problem = gradaudit.load_problem(
        write(
            observables=["observableId observableFormula noiseFormula", "o total 0.5"],
            measurements=[
                "observableId simulationConditionId time measurement",
                f"o c 2 {above!r}",
                f"o c 2 {below!r}",
            ],
        )
    )

    def exact(k):
        h = 2 * (2 * mpmath.exp(-2 * k) + mpmath.mpf(1) / 2)
        return density(above, h, 0.5) + density(below, h, 0.5)

    found = gradaudit.reference_gradient(problem)
    assert_certified(found, *closed_form(exact, [0.5], ["log10"]))
    assert found.sizes[0] > 1e5 * abs(found.gradient[0])


@pytest.mark.slow
def test_conditions_whose_terms_cancel_are_solved_again_and_others_are_not(write, monkeypatch):
    """Of c and d, opposite terms of size 7 leave 1e-5 of them, and e has a noise of 1e4."""
    k, t = 0.5, 2.0
    c, d = 2 * math.exp(-k * t), 2.5 * math.exp(-k * t)
    table = ["observableId simulationConditionId time measurement noiseParameters"]
    table += [f"o c 2 {c + 2.5!r} 0.5", f"o d 2 {d - 2 * (1 - 1e-5)!r} 0.5", "o e 2 1.5 1e4"]
    problem = gradaudit.load_problem(
        write(
            conditions=["conditionId a0", "c 2", "d 2.5", "e 3"],
            observables=["observableId observableFormula noiseFormula", "o A noiseParameter1_o"],
            measurements=table,
        )
    )
    again, measured = [], [float(row.split()[3]) for row in table[1:]]
    solved_again = Solves.again

    def noted(solves, index, *how):
        again.append(solves.groups[index].label)
        return solved_again(solves, index, *how)

    monkeypatch.setattr(Solves, "again", noted)

    def exact(k):
        terms = zip(measured, (2, 2.5, 3), (0.5, 0.5, 1e4), strict=True)
        return sum(density(m, a * mpmath.exp(-2 * k), s) for m, a, s in terms)

    found = gradaudit.reference_gradient(problem, digits=DIGITS)
    assert_certified(found, *closed_form(exact, [k], ["log10"]))
    assert found.sizes[0] > 1e5 * abs(found.gradient[0])
    assert set(again) == {"'c'", "'d'"}


def test_the_largest_errors_are_solved_again_until_the_others_are_allowed():
    shares = np.array([[0.1, 0.0], [30.0, 0.2], [0.3, 4.0], [0.2, 0.2], [9.0, 9.0]])
    assert certified._worst(shares, failed=[]) == [1, 4, 2]
    assert certified._worst(shares, failed=[4]) == [1, 2, 3, 0]
    assert certified._worst(shares[:1], failed=[]) == []


def test_the_point_is_on_the_estimation_scale(write):
    problem = gradaudit.load_problem(write())
    found = gradaudit.reference_gradient(problem, [np.log10(0.75)])

    def exact(k):
        return density(1.5, mpmath.mpf(2), 0.5) + density(1, 2 * mpmath.exp(-2 * k), 0.5)

    assert_certified(found, *closed_form(exact, [found.point_values[0]], ["log10"]))
    with pytest.raises(gradaudit.ProblemError, match="1 finite numbers"):
        gradaudit.reference_gradient(problem, [0.5, 0.5])


def test_a_parameter_without_effect_has_an_exact_zero(write):
    problem = gradaudit.load_problem(
        write(parameters=[PARAMETERS, "k lin 0 1 0.5 1", "gain lin 0 1 0.5 1"])
    )
    found = gradaudit.reference_gradient(problem)
    assert found.gradient[1] == 0.0
    assert found.bounds[1] == 0.0
    assert found.status == "ok"


def test_a_kink_of_laplace_noise_is_not_certified(write):
    problem = gradaudit.load_problem(
        write(
            observables=[OBSERVABLES, "o A 0.5 lin laplace"],
            measurements=[
                "observableId simulationConditionId time measurement",
                "o c 0 2",
                "o c 1 1",
            ],
        )
    )
    assert "kink" in gradaudit.reference_gradient(problem).status


def test_a_condition_without_a_solve_is_told_as_that_and_as_no_kink(write, monkeypatch):
    problem = gradaudit.load_problem(
        write(
            observables=[OBSERVABLES, "o A 0.5 lin laplace"],
            measurements=["observableId simulationConditionId time measurement", "o c 1 1"],
        )
    )

    def unsolved(*arguments, **options):
        solved = solving.certified(*arguments, **options)
        own = replace(
            solved.found,
            state_bounds=np.full(solved.found.state_bounds.shape, np.inf),
            sensitivity_bounds=np.full(solved.found.sensitivity_bounds.shape, np.inf),
            quad=None,
        )
        return replace(solved, found=own, status="uncertified: the time limit came")

    monkeypatch.setattr(simulation, "certified", unsolved)
    found = gradaudit.reference_gradient(problem)
    assert found.bounds[0] == np.inf
    assert found.status.startswith("uncertified: 0.0 digits hold")
    assert found.status.endswith("the time limit came")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("formula", "kinked"),
    [
        ("abs(A-2*gain/2)", True),
        ("max(gain,2)*A", True),
        ("A*piecewise(1,gain>=2,3)", True),
        ("sign(gain-2)*A", True),
        ("max(gain,1.5)*A", False),
        ("abs(A-2)*gain", False),  # the initial value does not depend on a parameter
        ("piecewise(1,time<=0,3)*gain", False),
    ],
)
def test_a_kink_or_jump_of_a_formula_is_not_certified(write, formula, kinked):
    problem = gradaudit.load_problem(
        write(
            parameters=[PARAMETERS, "k lin 0 1 0.5 1", "gain lin 0 10 2 1"],
            observables=["observableId observableFormula noiseFormula", f"o {formula} 0.5"],
            measurements=["observableId simulationConditionId time measurement", "o c 0 1"],
        )
    )
    status = gradaudit.reference_gradient(problem).status
    assert ("formula" in status) is kinked
    assert (status == "ok") is not kinked


def test_digits_of_what_cancels_are_lost_and_what_vanishes_is_told_apart():
    gradient = np.array([1.0, 1e-6, 0.0, 1e-3, 1e-15])
    bounds = np.array([1e-12, 1e-12, 1e-12, np.inf, 1e-17])
    held = held_digits(gradient, bounds, np.ones(5))
    np.testing.assert_allclose(held.per_entry, [12.0, 6.0, np.nan, 0.0, np.nan])
    assert float(held) == 0.0


@pytest.mark.parametrize(
    ("distribution", "measured", "sigma"),
    [("normal", 3 + 1e-10, 3.0), ("laplace", 3 + 1e-10, 3.0), ("normal", 7 + 1e-5, 7.0)],
)
def test_what_cancels_within_a_measurement_is_within_its_bound(
    write, distribution, measured, sigma
):
    """A residual as large as its noise leaves 1e-10 of the terms of the derivative by the noise.

    What is simulated is next to nothing, and its error too: there is the rounding of the terms.
    """
    problem = gradaudit.load_problem(
        write(
            parameters=[PARAMETERS, "k lin 0 1 0.5 1", f"sigma lin 0 10 {sigma!r} 1"],
            conditions=["conditionId a0", "c 1e-9"],
            observables=[OBSERVABLES, f"o A sigma lin {distribution}"],
            measurements=[
                "observableId simulationConditionId time measurement",
                f"o c 0 {measured!r}",
            ],
        )
    )

    def exact(k, sigma):
        start = mpmath.mpf(1e-9)
        return density(measured, start, sigma, laplace=distribution == "laplace")

    found = gradaudit.reference_gradient(problem, digits=5.0)
    value, gradient = closed_form(exact, [0.5, sigma], ["lin", "lin"])
    assert abs(found.value - value) <= found.value_bound
    assert abs(found.gradient[1] - gradient[1]) <= found.bounds[1]
    assert found.status == "ok"
    assert found.sizes[1] > 1e5 * abs(found.gradient[1])


def test_a_value_that_vanishes_is_within_its_bound():
    """The density of a residual of 0 is 1 where the noise is its constant."""
    sigma = np.array([1 / np.sqrt(2 * np.pi)], np.longdouble)
    found = terms(np.ones(1, np.longdouble), np.ones(1, np.longdouble), sigma,
                  scale="lin", distribution="normal")  # fmt: skip
    with mpmath.workdps(50):
        exact = -mpmath.log(2 * mpmath.pi * mpmath.mpf(float(sigma[0])) ** 2) / 2
        wrong = float(abs(mpmath.mpf(float(found.value[0])) - exact))
    assert abs(found.value[0]) < 1e-15
    assert wrong <= ROUNDING * found.value_size[0]


def test_what_has_no_terms_beyond_a_negligible_bound_vanishes():
    gradient, sizes = np.array([0.0, 0.0, 1e-20]), np.array([0.0, 0.0, 1e-20])
    bounds = np.array([1e-30, 1e-3, 1e-22])
    held = held_digits(gradient, bounds, sizes, 1e-15)
    np.testing.assert_allclose(held.per_entry, [np.nan, 0.0, 2.0])


@pytest.mark.parametrize(
    ("where", "kinked"), [(2.0, True), (1.0, False), (2.0 + 1e-9, False)], ids=str
)
@pytest.mark.parametrize("rule", ["abs(y[0] - p[1])", "where(y[0] >= p[1], y[0], 2 * y[0])"])
def test_a_switch_of_a_rule_next_to_a_point_is_seen(where, kinked, rule):
    import jax
    import jax.numpy as jnp

    from gradaudit.problem.rule_kinks import doubtful

    def evaluate(z, t):
        return eval(rule, {"abs": jnp.abs, "where": jnp.where, "y": z, "p": z})[None]

    functions = jax.vmap(evaluate), jax.vmap(jax.jacfwd(evaluate))
    z, t = np.array([[where, 2.0], [3.0, 2.0]]), np.array([0.0, 1.0])
    direction = np.broadcast_to(np.eye(2), (2, 2, 2))
    found = doubtful(functions, z, t, (direction, np.full((2, 2), 1e-15)))
    assert found[:, 0].tolist() == [kinked, False]
    still = doubtful(functions, z, t, (0.0 * direction, np.zeros((2, 2))))
    assert not still.any()


def test_many_failed_solves_are_one_reason_and_a_number():
    def part(label):
        return SimpleNamespace(
            status=f"uncertified: no time was left for {label}", group=SimpleNamespace(label=label)
        )

    assert certified._reasons([]) == ""
    assert certified._reasons([part("a")]) == "; under a: no time was left for a"
    assert certified._reasons([part("a"), part("b"), part("c")]) == (
        "; under a (and 2 more conditions): no time was left for a"
    )
