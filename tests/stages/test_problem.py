"""The gradient of an estimation problem as a job of the workflow, with a closed form."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cli.test_certify import slope
from gradaudit.pipeline.config import settings_of, study_of
from gradaudit.pipeline.config.naming import check_names
from gradaudit.problem.document import read
from gradaudit.records.files import read_provenance, read_table
from gradaudit.report.problems import chapter
from gradaudit.stages import certificate, checkers, fisher, problem
from problem.conftest import write  # noqa: F401  # the fixture


@pytest.fixture
def study(write):  # noqa: F811
    path = write()
    found = study_of(
        {
            "models": ["logistic", str(path)],
            "tolerances": {"loosest": 1e-3, "tightest": 1e-6},
            "problems": {
                "solvers": ["tsit5"],
                "methods": ["forward_ad"],
                "drawn": 1,
                "tools": ["ordinarydiffeq_tsit5"],
            },
        }
    )
    check_names(found)
    return path, found


@pytest.fixture
def certified(study, tmp_path):
    """The files of stage certificate."""
    path, found = study
    settings = json.loads(settings_of("certificate", found, model=path.parent.name))
    output, document = tmp_path / "out.nc", tmp_path / "out.json"
    certificate.run(
        model=str(path),
        settings=settings,
        output=output,
        document=document,
        report=lambda done, text: None,
    )
    return output, document


def test_the_document_is_that_of_gradaudit_certify_with_its_provenance(certified):
    found = read(certified[1])
    assert list(found["points"]) == ["nominal", "drawn 1"]
    for point in found["points"].values():
        exact = slope(point["values"]["k"])
        # the claim is that of the document, and the closed form is good to rounding
        assert abs(point["gradient"]["k"] - exact) <= point["bounds"]["k"] + 1e-14 * abs(exact)
    assert read_provenance(certified[1])["stage"] == "certificate"


def test_rows_have_the_error_against_the_closed_form_and_say_where_it_is_from(
    study, certified, tmp_path
):
    path, found = study
    settings = json.loads(settings_of("problem", found, model=path.parent.name))
    output = tmp_path / "out.parquet"
    told = []
    problem.run(
        model=str(path),
        certificate=certified[0],
        settings=settings,
        output=output,
        report=lambda done, text: told.append(text),
    )
    every = read_table(output)
    tool = every[every["tool"] != ""]
    assert tool["tool"].tolist() == ["Tsit5 (OrdinaryDiffEq)"] * 2
    assert tool["point"].tolist() == ["nominal", "drawn 1"]
    drawn = every[(every["point"] == "drawn 1") & (every["tool"] == "")]
    assert drawn["rtol"].tolist() == [1e-3, 1e-6]
    assert set(drawn["status"]) == {"ok"}
    assert np.all(drawn["error"] < 0.1)  # a decay at two tolerances, at another point
    assert len(set(np.stack(every["reference_gradient"])[:, 0])) == 2
    table = every[(every["point"] == "nominal") & (every["tool"] == "")]
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
    assert any("tsit5: 4 gradients" in text for text in told)


def test_a_change_of_a_table_is_another_problem(study):
    from gradaudit.model.spec import digest_of

    path, _ = study
    before = digest_of(str(path))
    (path.parent / "measurements.tsv").write_text("changed", encoding="utf-8")
    assert digest_of(str(path)) != before


def test_a_problem_that_cannot_be_read_is_a_row_that_says_why(study, tmp_path):
    path, found = study
    (path.parent / "conditions.tsv").unlink()

    def settings(stage):
        return json.loads(settings_of(stage, found, model=path.parent.name))

    certified, quiet = tmp_path / "out.nc", lambda *_: None
    certificate.run(
        model=str(path),
        settings=settings("certificate"),
        output=certified,
        document=tmp_path / "out.json",
        report=quiet,
    )
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["status"].startswith("refused: ")
    assert "conditions.tsv" in document["status"]
    made = {}
    for stage in (problem, fisher, checkers):
        name = stage.__name__.rpartition(".")[2]
        made[name] = tmp_path / f"{name}.parquet"
        stage.run(
            model=str(path),
            certificate=certified,
            settings=settings(name),
            output=made[name],
            report=quiet,
        )
    (row,) = read_table(made["problem"]).to_dict("records")
    assert row["status"] == "refused"
    assert "conditions.tsv" in row["reference_status"]
    assert read_table(made["fisher"]).empty
    assert read_table(made["checkers"]).empty
    shown = chapter([read_table(made["problem"])], 1e-2)
    assert shown["table"].rows[0][1].note == row["reference_status"]
