"""The published experiment: the cause is where it is said to be."""

from dataclasses import replace

import numpy as np
import pytest

import gradaudit
from gradaudit.stages.experiments.inverse_crime import certify, nominal_traces, run_variants

pytestmark = pytest.mark.slow

PUBLISHED = 1.45e6
SETTINGS = {
    "solver": "tsit5",
    "atol_factor": 1e-3,
    "observe": "interpolant",
    "stepping": "sciml",
    "max_steps": 100_000,
}


@pytest.fixture(scope="module")
def neuron():
    """All variants at default tolerances and at rtol 1e-5, by (variant, rtol)."""
    settings = SETTINGS | {"tolerances": [1e-3, 1e-5]}
    model = gradaudit.load_model("liu_neuron")
    traces = nominal_traces(model, settings)
    outcomes = run_variants(model, traces, certify(model, traces, 6.0), settings)
    return {(o.variant, o.rtol): o for o in outcomes}


def _norm(outcome):
    return np.linalg.norm(outcome.error.gradient)


@pytest.mark.slow
def test_parts_add_up_to_rounding(neuron):
    assert all(outcome.error.residual < 1e-12 for outcome in neuron.values())


def test_dual_norm_gives_the_published_number_within_a_factor_of_three(neuron):
    assert PUBLISHED / 3 < _norm(neuron["dual_norm", 1e-3]) < 3 * PUBLISHED


def test_it_falls_with_the_tolerance_and_the_state_is_to_blame(neuron):
    assert _norm(neuron["dual_norm", 1e-5]) < 0.1 * _norm(neuron["dual_norm", 1e-3])
    error = neuron["dual_norm", 1e-3].error
    assert np.linalg.norm(error.state_part) > 10 * np.linalg.norm(error.tangent_part)


def test_small_residual_meets_large_sensitivities(neuron):
    """README: less than a millivolt, times sensitivities that reach 1e5."""
    outcome = neuron["dual_norm", 1e-3]
    assert np.max(np.abs(outcome.residuals[:, 0])) < 1.0
    assert np.max(np.abs(outcome.solve.sensitivities[: len(outcome.residuals), 0])) > 1e5


def test_same_grid_is_a_false_good(neuron):
    """The gradient all but vanishes, while the tangents behind it are a third wrong."""
    outcome = neuron["same_grid", 1e-3]
    assert _norm(outcome) < 1e-3 * _norm(neuron["dual_norm", 1e-3])
    assert 0.25 < outcome.tangent_error < 0.45  # measured: 35 % wrong


def test_coarse_target_converges_to_another_gradient(neuron):
    outcome = neuron["coarse_target", 1e-5]
    limit = np.linalg.norm(outcome.error.reference)
    assert limit > 1e4
    assert np.linalg.norm(outcome.error.difference) < 0.01 * limit


def test_failed_nominal_solve_says_what_to_do():
    model = replace(
        gradaudit.load_model("logistic"),
        vector_field=lambda t, y, p: p[0] * y**2 + 0.0 * p[1],
        exact_solution=None,
    )
    with pytest.raises(gradaudit.SettingError, match="choose other tolerances"):
        nominal_traces(model, SETTINGS | {"tolerances": [1e-3]})
