"""The table and the traces of the published experiment, from outcomes that are made up."""

import numpy as np
import pytest

import gradaudit
from gradaudit.evaluation.gradient_error import GradientError
from gradaudit.records.files import read_dataset, read_table
from gradaudit.records.results import Sensitivities
from gradaudit.sensitivity.nominal_solve import Trace
from gradaudit.stages import experiment
from gradaudit.stages.experiments import inverse_crime
from gradaudit.stages.experiments.inverse_crime import Certified, ExperimentRun

MODEL = gradaudit.load_model("lotka_volterra")
TIMES = np.array([0.0, 1.0, 2.0])


def outcome(variant, rtol):
    zero = np.zeros(MODEL.m)
    three_four = np.array([3.0, 4.0, *zero[2:]])
    error = GradientError(
        gradient=three_four,
        reference=zero,
        state_part=2.0 * three_four,
        tangent_part=-three_four,
        observation_part=zero,
        natural_scale=1.0,
    )
    solve = Sensitivities(
        times=TIMES,
        states=np.zeros((3, MODEL.n)),
        sensitivities=np.zeros((3, MODEL.n, MODEL.m)),
        integrals=np.zeros((3, 1)),
        integral_sensitivities=np.zeros((3, 1, MODEL.m)),
        indicator=0.0,
        status="ok",
        stats={"steps": 12.0, "seconds": 0.5},
    )
    residuals = np.outer([0.0, -0.5, 0.25], np.arange(1.0, MODEL.n + 1)) * rtol
    return ExperimentRun(
        variant=variant,
        rtol=rtol,
        atol=1e-3 * rtol,
        solve=solve,
        residuals=residuals,
        error=error,
        tangent_error=0.35,
    )


@pytest.fixture
def written(tmp_path, monkeypatch):
    states = np.arange(3.0 * MODEL.n).reshape(3, MODEL.n)
    sensitivities = np.ones((3, MODEL.n, MODEL.m))
    certified = Certified(times=TIMES, states=states, sensitivities=sensitivities, digits=8.5)
    outcomes = [outcome(v, r) for v in ("dual_norm", "same_grid") for r in (1e-3, 1e-6)]
    traces = [Trace(TIMES, states + 1.0, 3, 3, 0, "ok", 0.1)]
    monkeypatch.setattr(experiment, "nominal_traces", lambda model, settings: traces)
    monkeypatch.setattr(experiment, "certify", lambda model, nominal, digits: certified)
    monkeypatch.setattr(experiment, "run_variants", lambda *arguments: outcomes)
    files = tmp_path / "a.parquet", tmp_path / "a.nc"
    experiment.run(model="lotka_volterra", settings={}, output=files[0], traces=files[1])
    return read_table(files[0]), read_dataset(files[1])


def test_a_row_is_a_variant_at_a_tolerance_with_norms_of_its_parts(written):
    table, _ = written
    assert table[["variant", "rtol"]].values.tolist() == [
        ["dual_norm", 1e-3],
        ["dual_norm", 1e-6],
        ["same_grid", 1e-3],
        ["same_grid", 1e-6],
    ]
    row = table.iloc[0]
    assert (row["gradient_norm"], row["reference_norm"], row["error_norm"]) == (5.0, 0.0, 5.0)
    assert (row["state_part"], row["tangent_part"]) == (10.0, 5.0)
    name = MODEL.observables[0]
    assert row["residual_max"] == pytest.approx(0.5e-3 * (MODEL.observable_indices[0] + 1))
    assert (row["residual_of"], row["residual_unit"]) == (name, MODEL.states[name][1])
    assert (row["points"], row["steps"], row["reference_digits"]) == (3, 12.0, 8.5)
    assert (row["model"], row["status"]) == ("lotka_volterra", "ok")


def test_traces_are_of_the_first_observable_at_the_loosest_tolerance(written):
    _, traces = written
    first = MODEL.observable_indices[0]
    np.testing.assert_array_equal(traces["time"], TIMES)
    np.testing.assert_array_equal(traces["nominal"] - traces["certified"], 1.0)
    np.testing.assert_allclose(traces["amplification"], np.sqrt(MODEL.m), rtol=1e-15)
    assert traces["variant"].values.tolist() == ["dual_norm", "same_grid"]
    expected = np.array([0.0, -0.5e-3, 0.25e-3]) * (first + 1)
    np.testing.assert_allclose(traces["residual"].sel(variant="same_grid"), expected)


def test_a_variant_that_took_too_long_is_a_row_with_that_status(monkeypatch):
    monkeypatch.setattr(inverse_crime, "solve_within", lambda limit, key, solve: None)
    states = np.arange(3.0 * MODEL.n).reshape(3, MODEL.n)
    ones = np.ones((3, MODEL.n, MODEL.m))
    certified = Certified(times=TIMES, states=states, sensitivities=ones, digits=8.5)
    settings = {"solver": "tsit5", "tolerances": [1e-3], "atol_factor": 1e-3, "max_steps": 100}
    settings |= {"observe": "step", "stepping": "diffrax", "solve_s": 1.0}
    traces = [Trace(TIMES, states + 1.0, 3, 3, 0, "ok", 0.1)]
    outcomes = inverse_crime.run_variants(MODEL, traces, certified, settings)
    rows = [experiment._row(MODEL, "a", each) for each in outcomes]
    assert [row["status"] for row in rows] == ["time_limit"] * len(inverse_crime.VARIANTS)
    assert all(np.isnan(row["gradient_norm"]) for row in rows)
