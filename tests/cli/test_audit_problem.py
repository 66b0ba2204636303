"""`gradaudit audit problem.yaml` on a decay whose log-likelihood has a closed form."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from cli.test_certify import slope
from gradaudit.cli.main import main
from gradaudit.errors import ProblemError
from gradaudit.problem import audit as audit_of_problems
from problem.conftest import write  # noqa: F401  # the fixture
from problem_closed_forms import EXCHANGE

QUICK = ("--solvers", "tsit5", "--methods", "forward_ad", "--tightest", "1e-8")


def audit(*arguments, capsys):
    code = main(["audit", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_card_table_and_document(write, tmp_path, capsys):  # noqa: F811
    path, kept = write(), tmp_path / "kept.parquet"
    code, said, told = audit(path, *QUICK, "--output", kept, capsys=capsys)
    assert code == 0
    assert max(map(len, said.splitlines())) <= 80
    assert "reference: ok" in told
    for text in (
        "1 parameter, 2 measurements, 1 condition, 1 observable",
        "tsit5, forward_ad, rtol 1e-6: RIGHT",
        "rtol 1e-3 and tighter: error at most 1e-2",
        "condition c (100 %); observable o (100 %)",
        "fails        nothing",
        "needed       for a step of L-BFGS to within 1 %: tsit5, forward_ad, rtol",
        "Correct digits of the gradient",
        "tsit5 forward_ad    4    4    4    5    7    8",
    ):
        assert text in said
    _, with_table, _ = audit(path, *QUICK, "--table", capsys=capsys)
    assert "Errors are relative" in with_table
    assert max(map(len, with_table.splitlines())) <= 80
    table = pd.read_parquet(kept)
    exact = slope(0.5)
    error = abs(np.stack(table["gradient"])[:, 0] - exact) / abs(exact)
    # the certified gradient has 10 digits
    np.testing.assert_allclose(table["error"], error, atol=1e-10, rtol=1e-6)
    assert table["rtol"].tolist() == [1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8]

    code, said, _ = audit(path, *QUICK, "--json", capsys=capsys)
    document = json.loads(said)
    assert document["answer"] == "right"
    assert document["sound_from"] == 1e-3
    assert document["reference"]["gradient"] == pytest.approx([exact])
    assert document["today"]["conditions"] == pytest.approx({"c": 1.0})
    assert document["cheapest"]["rtol"] == 1e-5 or document["cheapest"]["error"] <= 1e-4
    assert len(document["rows"]) == 6


def test_without_a_reference_nothing_is_claimed(write, capsys, monkeypatch):  # noqa: F811
    def refuse(*args, **keywords):
        raise ProblemError("no steady state")

    monkeypatch.setattr(audit_of_problems, "reference_with_solves", refuse)
    code, said, _ = audit(write(), *QUICK, capsys=capsys)
    assert code == 0
    assert "none: no steady state" in said
    assert "unknown" in said
    for word in ("RIGHT", "WRONG", "INACCURATE", "good", "horrible"):
        assert word not in said


@pytest.mark.slow
def test_no_gradient_is_exit_code_1(write, capsys):  # noqa: F811
    code, said, _ = audit(write(), *QUICK, "--max-steps", "2", capsys=capsys)
    assert code == 1
    assert "rtol 1e-6: NO GRADIENT" in said
    assert "tsit5 forward_ad at 1e-3, 1e-4, 1e-6 (max_steps)" in said
    assert "Tighter tolerances are not tried" in said


def test_steady_states_alone_are_no_result_of_a_solver(write, capsys):  # noqa: F811
    path = write(
        parameters=[
            "parameterId parameterScale lowerBound upperBound nominalValue estimate",
            "back lin 0 10 0.75 1",
        ],
        conditions=["conditionId k", "c 1.5"],
        measurements=["observableId simulationConditionId time measurement", "o c inf 1"],
    )
    (path.parent / "model.xml").write_text(EXCHANGE, encoding="utf-8")
    code, said, _ = audit(path, *QUICK, capsys=capsys)
    assert code == 0
    assert "nothing is integrated" in said
    assert "steady states, in 1 condition, are certified ones" in " ".join(said.split())
    for word in ("RIGHT", "WRONG", "good"):
        assert word not in said


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--functional", "x"), "--functional is for a model"),
        (("--accuracy", "0"), "--accuracy"),
        (("--methods", "guess"), "guess"),
        (("--loosest", "1e-14", "--tightest", "1e-13"), "tightest"),
    ],
)
def test_invalid_options_are_named(write, capsys, options, text):  # noqa: F811
    code, _, told = audit(write(), *options, capsys=capsys)
    assert code == 2
    assert text in told


def test_a_path_that_is_no_problem_is_named(tmp_path, capsys):
    code, _, told = audit(tmp_path / "nothing.yaml", capsys=capsys)
    assert code == 2
    assert "nothing.yaml" in told
