"""Common checkers on a log-likelihood with a closed form, as a job of the workflow."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cli.test_certify import slope
from gradaudit.checked.other_checkers import by_differences, by_jax
from gradaudit.pipeline.config import settings_of, study_of
from gradaudit.records.files import read_provenance, read_table
from gradaudit.stages import certificate, checkers
from problem.conftest import write  # noqa: F401  # the fixture


def square(p):
    return float(p @ p)


@pytest.mark.parametrize("check", [by_differences, by_jax])
def test_a_checker_tells_right_from_wrong(check):
    p = np.array([0.5, -2.0, 0.0])
    assert check(square, p, 2.0 * p) == "passed"
    assert check(square, p, 2.0 * p + np.array([0.0, 0.5, 0.0])) == "failed"


def run(path, tmp_path, **changes):
    study = study_of(
        {
            "models": ["logistic", str(path)],
            "problems": {"solvers": ["tsit5"], "checked": [str(path)], **changes},
        }
    )
    key, quiet = path.parent.name, lambda *_: None
    certified, output = tmp_path / "certified.nc", tmp_path / "out.parquet"
    certificate.run(
        model=str(path),
        settings=json.loads(settings_of("certificate", study, model=key)),
        output=certified,
        document=tmp_path / "certified.json",
        report=quiet,
    )
    checkers.run(
        model=str(path),
        certificate=certified,
        settings=json.loads(settings_of("checkers", study, model=key)),
        output=output,
        report=quiet,
    )
    assert read_provenance(output)["stage"] == "checkers"
    return read_table(output)


def test_gradients_are_compared_with_the_closed_form_and_given_to_each_checker(write, tmp_path):  # noqa: F811
    assert abs(slope(0.5)) > 0.1  # it is no gradient that vanishes
    table = run(write(), tmp_path)
    errors = table.drop_duplicates("gradient").set_index("gradient")["error"]
    assert list(errors.index)[-2:] == ["certified", "spoilt"]
    assert errors["certified"] == 0.0
    assert errors["spoilt"] == pytest.approx(0.1)
    outcomes = table.pivot(index="gradient", columns="checker", values="outcome")
    # the log-likelihood at 1e-6 is accurate enough for both
    assert set(outcomes.loc["certified", ["differences", "check_grads"]]) == {"passed"}
    assert set(outcomes.loc["spoilt", ["differences", "check_grads"]]) == {"failed"}


def test_a_checker_without_time_is_told(write, tmp_path):  # noqa: F811
    assert set(run(write(), tmp_path, checker_s=1e-9)["outcome"]) == {"not_run"}
