"""Densities of priors are those of SciPy, and their derivatives those of the densities."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from scipy import stats

import gradaudit
from gradaudit.problem.priors import VERSION_1, VERSION_2, prior
from gradaudit.problem.scales import scaled, unscaled

PARAMETERS = (
    "parameterId parameterScale lowerBound upperBound nominalValue estimate "
    "objectivePriorType objectivePriorParameters"
)
OPEN = (-math.inf, math.inf)
NUMBERS = {"chisquare": [4.0], "exponential": [3.0], "rayleigh": [3.0]}

# as functions of the numbers of the table
ORACLES = {
    "uniform": lambda a, b: stats.uniform(a, b - a),
    "normal": stats.norm,
    "laplace": stats.laplace,
    "cauchy": stats.cauchy,
    "gamma": lambda a, b: stats.gamma(a, scale=b),
    "chisquare": stats.chi2,
    "exponential": lambda b: stats.expon(scale=b),
    "rayleigh": lambda b: stats.rayleigh(scale=b),
    "log-uniform": stats.loguniform,
    "log-normal": lambda a, b: stats.lognorm(b, scale=math.exp(a)),
    # X is log-Laplace in the sense of SciPy with c = 1 / b
    "log-laplace": lambda a, b: stats.loglaplace(1 / b, scale=math.exp(a)),
}


@pytest.mark.parametrize("bounds", [OPEN, (2.0, 7.5), (0.0, 4.9)])
@pytest.mark.parametrize("scale", ["lin", "log", "log10"])
@pytest.mark.parametrize("name", VERSION_2)
def test_densities_are_those_of_scipy_truncated_to_the_bounds(name, scale, bounds):
    numbers = NUMBERS.get(name, [1.5, 5.0])
    found = prior(name, numbers, VERSION_2, scale, bounds, "here")
    oracle = ORACLES[name](*numbers)
    inside = oracle.cdf(bounds[1]) - oracle.cdf(bounds[0])
    for x in (2.5, 4.0, 4.5):
        value, slope, kink = found.log_density(x)[:3]
        # float64 of a density, and of its normalisation
        assert float(value) == pytest.approx(oracle.logpdf(x) - math.log(inside), abs=1e-13)
        assert not kink
        h = 1e-4
        ends = [float(found.log_density(unscaled(scaled(x, scale) + u, scale))[0]) for u in (-h, h)]
        # the third derivative, up to 100 on a scale, leaves h^2 times itself / 6
        assert (ends[1] - ends[0]) / (2 * h) == pytest.approx(float(slope), rel=1e-6, abs=1e-6)
    for x in (bounds[0] - 0.1, bounds[1] + 0.1):
        assert found.log_density(x)[0] == -np.inf


@pytest.mark.parametrize("name", VERSION_1)
def test_those_of_version_1_are_not_truncated_and_may_be_on_the_scale(name):
    found = prior(name, [0.25, 1.5], VERSION_1, "log10", OPEN, "here")
    oracle = {
        "uniform": stats.uniform(0.25, 1.25),
        "normal": stats.norm(0.25, 1.5),
        "laplace": stats.laplace(0.25, 1.5),
        "logNormal": stats.lognorm(1.5, scale=math.exp(0.25)),
        "logLaplace": stats.loglaplace(1 / 1.5, scale=math.exp(0.25)),
    }
    x = 1.4
    own = name.removeprefix("parameterScale").lower()
    if name.startswith("parameterScale"):
        x, expected = 10**1.4, oracle[own].logpdf(1.4)
    else:
        expected = oracle[name].logpdf(x)
    assert float(found.log_density(x)[0]) == pytest.approx(expected, abs=1e-13)


NEAR_A_MODE = [
    ("parameterScaleNormal", [math.log10(0.5), 1.0], "log10", 0.5),
    ("parameterScaleNormal", [-0.301029996, 1.0], "log10", 0.5),
    ("logNormal", [0.1, 0.5], "lin", math.exp(0.1 - 0.25)),
    ("normal", [0.5, 0.7], "lin", 0.5 + 1e-13),
    ("gamma", [2.3, 0.6], "log", 1.3 * 0.6 * (1 + 1e-12)),
    ("rayleigh", [0.6], "log10", 0.6 * (1 + 1e-12)),
]


@pytest.mark.parametrize(("name", "numbers", "scale", "x"), NEAR_A_MODE)
def test_what_is_left_of_a_derivative_near_a_mode_is_within_its_bound(name, numbers, scale, x):
    """Of the terms 1e-9 to 1e-17 are left there, and rounding is beside the terms."""
    own = prior(name, numbers, VERSION_1 | VERSION_2, scale, OPEN, "here").log_density(x)
    with mpmath.workdps(50):
        a, b = mpmath.mpf(numbers[0]), mpmath.mpf(numbers[-1])
        by_scale = {"lin": 1, "log": x, "log10": x * mpmath.log(10)}[scale]
        exact = {
            "parameterScaleNormal": lambda: -(mpmath.log10(x) - a) / b**2,
            "logNormal": lambda: -((mpmath.log(x) - a) / b**2 + 1) / x * by_scale,
            "normal": lambda: -(x - a) / b**2 * by_scale,
            "gamma": lambda: ((a - 1) / mpmath.mpf(x) - 1 / b) * by_scale,
            "rayleigh": lambda: (1 / mpmath.mpf(x) - x / b**2) * by_scale,
        }[name]()
        found = mpmath.mpf(str(own.derivative))  # to 19 digits of itself, far below its bound
        assert abs(found - exact) <= mpmath.mpf(float(own.off))
    assert float(own.off) < 1e-16
    assert abs(float(own.derivative)) < 1e-8 * float(own.size)


def problem_with(write, *rows):
    path = write(parameters=[PARAMETERS, *rows])
    with pytest.warns(gradaudit.errors.ModelWarning, match="posterior=True"):
        return gradaudit.load_problem(path)


@pytest.mark.slow
def test_the_posterior_is_likelihood_times_prior_with_its_gradient(write):
    problem = problem_with(
        write,
        "k log10 1e-3 1e2 0.5 1 logNormal 0.5;2",
        "gain lin 0 10 2 1 parameterScaleNormal 1;3",
    )
    plain = gradaudit.reference_gradient(problem)
    found = gradaudit.reference_gradient(problem, posterior=True)
    assert found.status == "ok"
    exact = stats.lognorm(2, scale=math.exp(0.5)).logpdf(0.5) + stats.norm(1, 3).logpdf(2.0)
    assert problem.log_prior() == pytest.approx(exact, abs=1e-14)
    assert found.value == pytest.approx(plain.value + exact, abs=1e-13)
    assert problem.log_posterior() == pytest.approx(found.value, abs=1e-13)
    # d log p / d log10 k = -ln 10 (1 + (ln k - 0.5) / 4)
    slope = -math.log(10) * (1 + (math.log(0.5) - 0.5) / 4)
    np.testing.assert_allclose(found.gradient - plain.gradient, [slope, -1 / 9], rtol=1e-13)


def test_outside_of_a_uniform_prior_and_at_a_kink_nothing_is_certified(write):
    problem = problem_with(write, "k lin 0 10 0.5 1 uniform 1;2")
    assert problem.log_prior() == -np.inf
    assert "outside" in gradaudit.reference_gradient(problem, posterior=True).status
    problem = problem_with(write, "k lin 0 10 0.5 1 laplace 0.5;2")
    assert "kink" in gradaudit.reference_gradient(problem, posterior=True).status


@pytest.mark.parametrize(
    ("message", "cells"),
    {
        "the prior is 'cauchy'": "cauchy 0;1",
        "needs 2 finite numbers": "normal 0",
        "must be positive": "normal 0;-1",
        "below the second": "uniform 2;1",
    }.items(),
)
def test_what_is_wrong_in_a_prior_is_told_with_its_place(write, message, cells):
    path = write(parameters=[PARAMETERS, f"k lin 0 1 0.5 1 {cells}"])
    with pytest.raises(gradaudit.ProblemError, match=rf"parameters.tsv, 'k'.*{message}"):
        gradaudit.load_problem(path)
