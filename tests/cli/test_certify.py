"""`gradaudit certify` on a decay whose log-likelihood has a closed form."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from gradaudit.cli.main import main
from gradaudit.errors import DamagedResultError
from gradaudit.problem import document
from gradaudit.problem.definition import parameters
from gradaudit.problem.points import points
from problem.conftest import write  # noqa: F401  # the fixture


def certify(*arguments, capsys):
    code = main(["certify", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def slope(k):
    """d log-likelihood / d log10 k of A = 2 exp(-k t), measured as 1.5 at 0 and 1 at 2."""
    simulated = 2.0 * math.exp(-2.0 * k)
    return (1.0 - simulated) / 0.5**2 * (-2.0 * simulated) * k * math.log(10.0)


def test_a_document_has_every_point_with_its_certificate(write, tmp_path, capsys):  # noqa: F811
    problem, output = write(), tmp_path / "out"
    code, said, _ = certify(problem, "--output", output, "--drawn", 2, capsys=capsys)
    assert code == 0
    assert "nominal" in said
    name = f"{tmp_path.name}.json"
    found = document.read(output / name)
    assert list(found["points"]) == ["nominal", "drawn 1", "drawn 2"]
    for point in found["points"].values():
        exact = slope(point["values"]["k"])
        # the claim is that of the document, and the closed form is good to rounding
        allowed = point["bounds"]["k"] + 1e-14 * abs(exact)
        assert abs(point["gradient"]["k"] - exact) <= allowed
        assert point["status"] == "ok"
    assert set(found["files"]) == {
        "problem.yaml", "parameters.tsv", "conditions.tsv", "measurements.tsv",
        "observables.tsv", "model.xml",
    }  # fmt: skip


def test_a_document_is_kept_until_a_file_of_the_problem_changes(write, tmp_path, capsys):  # noqa: F811
    problem, output = write(), tmp_path / "out"
    asked = (problem, "--output", output, "--drawn", 0)
    certify(*asked, capsys=capsys)
    assert "up to date" in certify(*asked, capsys=capsys)[1]
    table = tmp_path / "measurements.tsv"
    table.write_text(table.read_text().replace("1.5", "1.25"))
    assert "up to date" not in certify(*asked, capsys=capsys)[1]


def test_what_cannot_be_certified_is_told_and_the_others_go_on(write, tmp_path, capsys):  # noqa: F811
    good = write()
    bad = tmp_path / "bad" / "problem.yaml"
    bad.parent.mkdir()
    bad.write_text(good.read_text())  # without its tables
    output = tmp_path / "out"
    code, said, errors = certify(tmp_path, "--output", output, "--drawn", 0, capsys=capsys)
    assert code == 2
    assert "bad" in errors
    assert "ok" in said
    assert [file.name for file in output.iterdir()] == [f"{tmp_path.name}.json"]


@pytest.mark.parametrize("path", ["nowhere", "."])
def test_a_path_without_a_problem_is_named(tmp_path, path, capsys):
    code, _, errors = certify(tmp_path / path, "--output", tmp_path / "out", capsys=capsys)
    assert code == 2
    assert "problem" in errors


def test_two_problems_with_the_same_document_are_refused(tmp_path, capsys):
    for name in ("one", "other"):
        path = tmp_path / name / "same" / "problem.yaml"
        path.parent.mkdir(parents=True)
        path.write_text("format_version: 1")
    code, _, errors = certify(tmp_path, "--output", tmp_path / "out", capsys=capsys)
    assert code == 2
    assert "different names" in errors


@pytest.mark.parametrize("option", ["--drawn", "--seed"])
def test_a_negative_option_is_told(write, tmp_path, option, capsys):  # noqa: F811
    code, _, errors = certify(write(), "--output", tmp_path / "out", option, -1, capsys=capsys)
    assert code == 2
    assert "must be at least 0" in errors


def test_an_output_that_is_a_file_is_told(write, capsys):  # noqa: F811
    problem = write()
    code, _, errors = certify(problem, "--output", problem, capsys=capsys)
    assert code == 2
    assert "name a folder" in errors


def test_points_beside_a_nominal_value_without_a_logarithm_are_finite():
    rows = [("a", "log10", 0.0, 0.0, 1e2), ("b", "log", 0.0, math.nan, math.nan)]
    drawn = points(parameters(rows), drawn=5, seed=3)["drawn 5"]
    assert np.all(np.isfinite(drawn))
    assert 1.0 <= drawn[0] <= 2.0


def test_another_json_file_is_no_document(tmp_path):
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"schema": "another"}))
    with pytest.raises(DamagedResultError, match="no document"):
        document.read(path)


def test_points_lie_within_the_bounds_and_are_those_of_their_seed():
    rows = [("a", "log10", 1.0, 1e-3, 1e2), ("b", "lin", -4.0, math.nan, math.nan)]
    own = parameters(rows)
    found = points(own, drawn=50, seed=3)
    assert found.pop("nominal") is None
    drawn = np.array(list(found.values()))
    assert np.all((drawn >= [-3.0, -8.0]) & (drawn <= [2.0, 0.0]))
    again = points(own, drawn=50, seed=3)
    again.pop("nominal")
    np.testing.assert_array_equal(drawn, list(again.values()))


def test_a_point_that_is_refused_is_told_in_the_document(write, tmp_path, capsys, monkeypatch):  # noqa: F811
    from gradaudit.errors import ProblemError
    from gradaudit.problem import certificate

    plain = certificate.reference_with_solves

    def refusing(problem, p, **options):
        if p is not None:
            raise ProblemError("there is no steady state.")
        return plain(problem, p, **options)

    monkeypatch.setattr(certificate, "reference_with_solves", refusing)
    code, said, _ = certify(write(), "--output", tmp_path / "out", "--drawn", 1, capsys=capsys)
    assert code == 0
    assert "drawn 1: refused: there is no steady state" in said
    found = document.read(tmp_path / "out" / f"{tmp_path.name}.json")
    assert found["points"]["nominal"]["status"] == "ok"
    assert found["points"]["drawn 1"] == {"status": "refused: there is no steady state."}


def test_a_document_by_other_code_is_made_again(write, tmp_path, capsys):  # noqa: F811
    asked = (write(), "--output", tmp_path / "out", "--drawn", 0)
    certify(*asked, capsys=capsys)
    target = tmp_path / "out" / f"{tmp_path.name}.json"
    content = document.read(target)
    target.write_text(json.dumps({**content, "code": "earlier"}))
    assert "up to date" not in certify(*asked, capsys=capsys)[1]
    assert document.read(target)["code"] == content["code"]
