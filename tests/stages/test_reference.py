"""A certified reference as a file; the certificate is made up."""

import json
from dataclasses import replace

import numpy as np

import gradaudit
from gradaudit.records.files import read_dataset, read_provenance
from gradaudit.records.results import Digits, Proof, Reference
from gradaudit.stages import reference as stage

MODEL = gradaudit.load_model("logistic")
SETTINGS = {"digits": 12.0, "negligible": 1e-3, "time_limit_s": 30.0, "proof": False}


def made_up() -> Reference:
    n, m = MODEL.n, MODEL.m
    return Reference(
        times=np.array([1.0, 2.0]),
        states=np.full((2, n), 1.0),
        sensitivities=np.full((2, n, m), 2.0),
        integrals=np.full((2, 1), 3.0),
        integral_sensitivities=np.full((2, 1, m), 4.0),
        digits=Digits(np.array([[[13.0] * m] * n, [[12.5] * m] * n])),
        integral_digits=Digits(np.full((2, 1, m), 11.0)),
        state_digits=Digits(np.full((2, n), 14.0)),
        status="ok",
        rungs=({"precision": "double", "digits": 12.5},),
    )


def test_the_file_has_arrays_digits_and_the_record_of_all_solves(tmp_path, monkeypatch):
    asked, certified = [], made_up()

    def make(model, **options):
        asked.append(options)
        return certified

    monkeypatch.setattr(stage, "reference", make)
    path = tmp_path / "logistic.nc"
    stage.run(model="logistic", settings=SETTINGS, output=path, report=print)
    options = {"digits": 12.0, "negligible": 1e-3, "time_limit": 30.0}
    assert asked == [options | {"proof": False, "progress": print}]
    found = read_dataset(path)
    np.testing.assert_array_equal(found["states"], certified.states)
    np.testing.assert_array_equal(found["integral_sensitivities"], 4.0)
    np.testing.assert_array_equal(found["digits"].sel(time=2.0), 12.5)
    assert found["parameter"].values.tolist() == list(MODEL.parameters)
    assert (found.attrs["digits"], found.attrs["integral_digits"]) == (12.5, 11.0)
    assert json.loads(found.attrs["rungs_json"]) == [{"precision": "double", "digits": 12.5}]
    assert json.loads(found.attrs["model_json"])["key"] == "logistic"
    assert found["event"].shape == (0,)
    assert read_provenance(path)["stage"] == "reference"
    assert "proven_digits" not in found.attrs
    assert "proven_digits" not in found


def test_a_proof_is_stored_beside_the_certificate(tmp_path, monkeypatch):
    n, m = MODEL.n, MODEL.m
    proof = Proof(
        states_lower=np.full((2, n), 0.9),
        states_upper=np.full((2, n), 1.1),
        sensitivities_lower=np.full((2, n, m), 1.9),
        sensitivities_upper=np.full((2, n, m), np.inf),
        digits=Digits(np.array([[[9.5] * m] * n, [[0.0] * m] * n])),
        state_digits=Digits(np.full((2, n), 1.0)),
        status="proven until t = 1: the time limit came",
        seconds=2.0,
    )
    monkeypatch.setattr(stage, "reference", lambda *_, **__: replace(made_up(), proof=proof))
    path = tmp_path / "logistic.nc"
    stage.run(model="logistic", settings=SETTINGS | {"proof": True}, output=path, report=print)
    found = read_dataset(path)
    np.testing.assert_array_equal(found["proven_digits"].sel(time=1.0), 9.5)
    np.testing.assert_array_equal(found["states_upper"], 1.1)
    assert np.isinf(found["sensitivities_upper"]).all()
    assert found.attrs["proof_status"] == proof.status
    assert (found.attrs["digits"], found.attrs["proven_digits"]) == (12.5, 0.0)
