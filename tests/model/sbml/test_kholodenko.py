"""A published model in SBML: the MAPK cascade with negative feedback of Kholodenko (2000)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gradaudit

FILE = Path(__file__).parents[2] / "data" / "kholodenko2000.xml"
TIMES = [150.0, 300.0]


@pytest.fixture(scope="module")
def model():
    return gradaudit.load_model(f"{FILE}@t_end=300")


def paper(y):
    """The equations of the paper in numpy, in nM and s."""
    kkk, kkk_p, kk, kk_p, kk_pp, k, k_p, k_pp = y
    v1 = 2.5 * kkk / ((1 + k_pp / 9) * (10 + kkk))
    v2 = 0.25 * kkk_p / (8 + kkk_p)
    v3, v4 = (0.025 * kkk_p * x / (15 + x) for x in (kk, kk_p))
    v5, v6 = (0.75 * x / (15 + x) for x in (kk_pp, kk_p))
    v7, v8 = (0.025 * kk_pp * x / (15 + x) for x in (k, k_p))
    v9, v10 = (0.5 * x / (15 + x) for x in (k_pp, k_p))
    kk_rates = [v6 - v3, v3 + v5 - v4 - v6, v4 - v5]
    return np.array([v2 - v1, v1 - v2, *kk_rates, v10 - v7, v7 + v9 - v8 - v10, v8 - v9])


def test_states_parameters_and_units_are_those_of_the_file(model):
    assert model.states["MAPK"] == (280.0, "nmol/L")
    assert (model.n, model.time_unit, model.t_end) == (8, "s", 300.0)
    # The size of the compartment is a factor of every rate, so that nothing depends on it.
    assert model.m == 22
    assert "cell" not in model.parameters
    assert model.parameters["v1_KI"] == (9.0, "nmol/L")
    assert model.parameters["v3_k3"] == (0.025, "1/s")
    assert model.parameters["v1_n"] == (1.0, "1")


def test_vector_field_is_that_of_the_paper(model):
    y = model.declared_state * np.linspace(0.5, 1.5, 8)
    rates = model.vector_field(0.0, y, model.nominal)
    # A dozen roundings, of sums of terms up to a hundred times larger than the result.
    np.testing.assert_allclose(rates, paper(y), rtol=1e-13, atol=1e-13)


def test_vector_field_is_that_of_another_implementation(model):
    """From libRoadRunner 2.10.0 and the file of BioModels, at the initial state."""
    roadrunner = [
        -0.9269005847953218, 0.9269005847953218, 0.06271186440677964, 0.13728813559322034,
        -0.2, -0.037288135593220334, 0.13728813559322034, -0.1,
    ]  # fmt: skip
    rates = model.vector_field(0.0, model.declared_state, model.nominal)
    np.testing.assert_allclose(rates, roadrunner, rtol=1e-14)


@pytest.mark.slow
def test_reference_is_certified_and_the_sensitivity_equations_agree(model):
    reference = gradaudit.reference(model, times=TIMES)
    assert reference.digits >= 10
    solved = gradaudit.sensitivities(
        model, rtol=1e-9, atol=1e-12, method="forward_sensitivity", times=TIMES
    )
    assert solved.status == "ok"
    scale = model.parameter_scale * np.abs(reference.sensitivities)
    error = np.abs(solved.sensitivities - reference.sensitivities) * model.parameter_scale
    # Full error control at 1e-9: three digits for its accumulation over 300 s.
    assert error.max() <= 1e-6 * scale.max()


def test_the_end_of_the_window_is_an_axis():
    assert gradaudit.load_model(FILE).t_end == 100.0
    assert gradaudit.load_model(f"{FILE}@t_end=12.5").t_end == 12.5
    with pytest.raises(gradaudit.ModelError, match="the model has no 'K1'"):
        gradaudit.load_model(f"{FILE}@K1=2")
