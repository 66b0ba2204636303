"""States at every tolerance as one labelled array; the solver is replaced."""

import json

import numpy as np

import gradaudit
from gradaudit.records.files import read_dataset
from gradaudit.sensitivity.nominal_solve import Trace
from gradaudit.stages import simulate

SETTINGS = {"tolerances": [1e-3, 1e-6], "atol_factor": 0.1, "max_steps": 77}


def test_a_tolerance_is_a_row_and_a_failed_solve_is_nan_with_its_status(tmp_path, monkeypatch):
    made = []

    def primal(model, options):
        made.append(options)

        def solve(times, traced):
            made.append(traced)
            states = np.full((len(times), model.n), traced.rtol)
            status = "ok" if traced.rtol == 1e-3 else "max_steps"
            return Trace(times, states, 9, 7, 2, status, 0.5)

        return solve

    monkeypatch.setattr(simulate, "primal", primal)
    path = tmp_path / "states.nc"
    simulate.run(model="logistic", solver="tsit5", settings=SETTINGS, output=path)
    model, found = gradaudit.load_model("logistic"), read_dataset(path)
    options, *traced = made
    assert (options.solver, options.max_steps) == ("tsit5", 77)
    assert [(t.rtol, t.atol) for t in traced] == [(1e-3, 1e-4), (1e-6, 1e-7)]
    assert found["states"].dims == ("rtol", "time", "state")
    np.testing.assert_array_equal(found["states"].sel(rtol=1e-3), 1e-3)
    assert np.isnan(found["states"].sel(rtol=1e-6)).all()
    assert found["status"].values.tolist() == ["ok", "max_steps"]
    assert found["rejected"].values.tolist() == [2, 2]
    np.testing.assert_array_equal(found["time"], model.times())
    assert found["state"].values.tolist() == list(model.states)
    assert found.attrs["solver"] == "tsit5"
    assert json.loads(found.attrs["model_json"])["key"] == "logistic"
