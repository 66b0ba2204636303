"""The gradient of an estimation problem as a job of the workflow, with a closed form."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cli.test_certify import slope
from gradaudit.pipeline.config import settings_of, study_of
from gradaudit.pipeline.config.naming import check_names
from gradaudit.records.files import read_provenance, read_table
from gradaudit.stages import problem
from problem.conftest import write  # noqa: F401  # the fixture


@pytest.fixture
def study(write):  # noqa: F811
    path = write()
    found = study_of(
        {
            "models": ["logistic", str(path)],
            "tolerances": {"loosest": 1e-3, "tightest": 1e-6},
            "problems": {"solvers": ["tsit5"], "methods": ["forward_ad"]},
        }
    )
    check_names(found)
    return path, found


def test_rows_have_the_error_against_the_closed_form_and_say_where_it_is_from(study, tmp_path):
    path, found = study
    settings = json.loads(settings_of("problem", found, model=path.parent.name))
    output = tmp_path / "out.parquet"
    told = []
    problem.run(
        model=str(path),
        settings=settings,
        output=output,
        report=lambda done, text: told.append(text),
    )
    table = read_table(output)
    exact = slope(0.5)
    assert table["rtol"].tolist() == [1e-3, 1e-4, 1e-5, 1e-6]
    np.testing.assert_allclose(np.stack(table["reference_gradient"])[:, 0], exact, rtol=1e-10)
    # the certified gradient has 10 digits
    error = np.abs(np.stack(table["gradient"])[:, 0] / exact - 1.0)
    np.testing.assert_allclose(table["error"], error, atol=1e-10, rtol=1e-6)
    assert set(table["status"]) == {"ok"}
    assert list(table["parameters"].iloc[0]) == ["k"]
    assert json.loads(table["shares"].iloc[0])["observables"] == pytest.approx({"o": 1.0})
    assert table["simulated_conditions"].unique().tolist() == [1]
    provenance = read_provenance(output)
    assert provenance["stage"] == "problem"
    assert provenance["model"] == path.parent.name  # many problems are called problem.yaml
    assert any("reference: ok" in text for text in told)


def test_a_change_of_a_table_is_another_problem(study):
    from gradaudit.model.spec import digest_of

    path, _ = study
    before = digest_of(str(path))
    (path.parent / "measurements.tsv").write_text("changed", encoding="utf-8")
    assert digest_of(str(path)) != before
