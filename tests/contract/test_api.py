"""The three functions that other tools call, and what they return."""

import numpy as np
import pytest

import gradaudit
from gradaudit.sensitivity.api import METHODS
from gradaudit.sensitivity.external.requirements import packages
from gradaudit.solvers.registry import SOLVERS

TIMES = [0.5, 2.0, 5.0]


@pytest.mark.sampled(24)
@pytest.mark.parametrize("method", [name for name in METHODS if name not in packages()])
def test_every_method_returns_the_three_arrays(method):
    result = gradaudit.sensitivities("logistic", method=method, rtol=1e-6, times=TIMES)
    assert result.status == "ok"
    np.testing.assert_array_equal(result.times, TIMES)
    assert result.states.shape == (3, 1)
    assert result.sensitivities.shape == (3, 1, 2)
    assert result.integrals.shape == (3, 1)
    assert result.integral_sensitivities.shape == (3, 1, 2)
    assert result.stats["steps"] > 0
    assert result.stats["seconds"] > 0


@pytest.mark.sampled(40)
@pytest.mark.parametrize("solver", [name for name in SOLVERS if SOLVERS[name].order > 1])
def test_every_solver_gets_the_control_right(solver):
    reference = gradaudit.reference("logistic", times=TIMES)
    result = gradaudit.sensitivities("logistic", solver=solver, rtol=1e-9, times=TIMES)
    np.testing.assert_allclose(result.sensitivities, reference.sensitivities, rtol=1e-7)
    np.testing.assert_allclose(result.integrals, reference.integrals, rtol=1e-7)


@pytest.mark.slow
def test_default_times_are_those_of_the_model():
    model = gradaudit.load_model("logistic")
    np.testing.assert_array_equal(gradaudit.sensitivities(model).times, model.times())
    np.testing.assert_array_equal(gradaudit.reference(model).times, model.times())


def test_digits_are_a_number_with_the_digits_of_every_entry():
    reference = gradaudit.reference("logistic", times=TIMES)
    assert reference.digits >= 12
    assert reference.digits.per_entry.shape == (3, 1, 2)
    assert np.nanmin(reference.digits.per_entry) == float(reference.digits)


def test_one_compilation_serves_all_tolerances_and_norms():
    model = gradaudit.load_model("logistic")
    settings = {"times": np.linspace(0.0, 5.0, 9)}
    first = gradaudit.sensitivities(model, rtol=1e-3, **settings)
    others = [
        gradaudit.sensitivities(model, rtol=rtol, method=method, **settings)
        for rtol in (1e-4, 1e-9)
        for method in ("forward_ad", "forward_sensitivity", "dual_norm")
    ]
    assert first.stats["compile_seconds"] > 0
    assert all(other.stats["compile_seconds"] == 0 for other in others)
