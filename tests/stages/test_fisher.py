"""The Fisher information of a problem as a job of the workflow, with a closed form."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from gradaudit.errors import ProblemError
from gradaudit.pipeline.config import settings_of, study_of
from gradaudit.pipeline.config.naming import check_names
from gradaudit.problem import certificate as certificates
from gradaudit.records.files import read_provenance, read_table
from gradaudit.stages import certificate, fisher
from problem.conftest import write  # noqa: F401  # the fixture

K = 0.5
SLOPE = -2.0 * K * math.log(10.0) * 2.0 * math.exp(-2.0 * K) / 0.5
"""d (2 exp(-2 k) / noise) / d log10 k, of the one measurement that depends on k."""


def run(path, tmp_path, **changes):
    found = study_of(
        {"models": ["logistic", str(path)], "problems": {"solvers": ["tsit5"], **changes}}
    )
    check_names(found)
    certified, output = tmp_path / "certified.nc", tmp_path / "out.parquet"
    certificate.run(
        model=str(path),
        settings=json.loads(settings_of("certificate", found, model=path.parent.name)),
        output=certified,
        document=tmp_path / "certified.json",
        report=lambda *_: None,
    )
    fisher.run(
        model=str(path),
        certificate=certified,
        settings=json.loads(settings_of("fisher", found, model=path.parent.name)),
        output=output,
        report=lambda *_: None,
    )
    assert read_provenance(output)["stage"] == "fisher"
    return read_table(output)


@pytest.mark.slow
def test_standard_errors_against_the_closed_form(write, tmp_path):  # noqa: F811
    table = run(write(), tmp_path)
    assert list(zip(table["method"], table["rtol"], strict=True)) == [
        ("forward_ad", 1e-3),
        ("forward_ad", 1e-6),
        ("forward_sensitivity", 1e-9),
        ("forward_sensitivity", 1e-6),
    ]
    assert set(table["status"]) == {"ok"}
    assert set(table["reference_status"]) == {"ok"}
    exact = 1.0 / abs(SLOPE)
    reference = np.stack(table["reference_standard_errors"])[:, 0]
    np.testing.assert_allclose(reference, exact, rtol=1e-10)
    np.testing.assert_allclose(np.stack(table["reference_eigenvalues"])[:, 0], SLOPE**2, rtol=1e-10)
    error = np.abs(np.stack(table["standard_errors"])[:, 0] / exact - 1.0)
    # the certified one has 10 digits
    np.testing.assert_allclose(table["worst_standard_error"], error, rtol=1e-6, atol=1e-10)
    assert (table["worst_standard_error"] <= 10.0 * table["rtol"]).all()
    assert set(table["resolved"]) == {1}
    assert set(table["bars_hold"]) == {True}


def test_a_parameter_that_nothing_depends_on_is_told(write, tmp_path):  # noqa: F811
    path = write(
        parameters=[
            "parameterId parameterScale lowerBound upperBound nominalValue estimate",
            "k log10 1e-3 1e2 0.5 1",
            "gain lin 0 10 1.5 1",
        ]
    )
    table = run(path, tmp_path)
    assert set(table["reference_resolved"]) == {1}
    assert all(
        "not identifiable: nothing that is measured depends on gain" in status
        for status in table["reference_status"]
    )
    assert not set(table["status"]) & {"ok"}


def test_what_is_refused_or_not_run_is_a_status(write, tmp_path, monkeypatch):  # noqa: F811
    def refuse(*_, **__):
        raise ProblemError("no steady state")

    monkeypatch.setattr(certificates, "reference_with_solves", refuse)
    table = run(write(), tmp_path, table_s=1e-9)
    assert set(table["reference_status"]) == {"refused: no steady state"}
    assert table["status"].tolist() == ["ok", "ok", "not_run", "not_run"]
    assert table["worst_standard_error"].isna().all()
    assert table["bars_hold"].isna().all()
    assert np.isfinite(np.stack(table["standard_errors"])[:2]).all()
