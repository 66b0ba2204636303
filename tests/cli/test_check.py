"""`gradaudit check`: what is proven to be worse than a baseline."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from cli.test_audit_problem import QUICK
from gradaudit.cli.check import compare, inconclusive, settings_of, worse
from gradaudit.cli.main import main
from gradaudit.errors import SettingError
from problem.conftest import write  # noqa: F401  # the fixture


def rows(error: float = 1e-3, resolution: float = 1e-9, status: str = "ok") -> pd.DataFrame:
    row = {"solver": "tsit5", "method": "forward_ad", "rtol": 1e-6, "status": status}
    return pd.DataFrame([{**row, "error": error, "resolution": resolution}])


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (rows(1e-3), 0),
        (rows(1.9e-3), 0),  # not twice as large
        (rows(2.1e-3), 1),
        (rows(2.1e-3, 1e-3), 0),  # not proven
        (rows(math.nan, math.inf), 0),
        (rows(math.nan, status="max_steps"), 1),
    ],
)
def test_worse_is_what_is_proven_to_be(now, count):
    before = settings_of(rows())
    found = worse(settings_of(now), before, 1e-4)
    assert len(found) == count
    assert all(text.startswith("tsit5 forward_ad 1e-06: ") for text in found)


def test_an_error_that_is_wanted_anyway_is_not_worse():
    before, now = settings_of(rows(1e-9)), settings_of(rows(9e-5))
    assert worse(now, before, 1e-4) == []
    assert len(worse(now, before, 1e-5)) == 1


def test_what_was_lost_before_is_not_worse_and_what_is_new_is_not_compared():
    assert (
        worse(settings_of(rows(3.0)), settings_of(rows(math.nan, status="max_steps")), 1e-4) == []
    )
    assert worse(settings_of(rows(3.0)), {}, 1e-4) == []


def test_inconclusive_is_counted():
    assert inconclusive(settings_of(rows(math.nan, math.inf))) == 1
    assert inconclusive(settings_of(rows(math.nan, status="max_steps"))) == 0


def test_the_file_is_of_one_model(tmp_path):
    path = tmp_path / "errors.json"
    options = {"baseline": path, "update": False, "accuracy": 1e-4}
    assert compare(rows(), name="mine", **options) == 0
    with pytest.raises(SettingError, match="baseline of 'mine', not of 'yours'"):
        compare(rows(), name="yours", **options)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(SettingError, match="is no baseline"):
        compare(rows(), name="mine", **options)


def test_an_update_keeps_what_is_better_and_never_what_is_worse(tmp_path):
    options = {"name": "mine", "baseline": tmp_path / "errors.json", "accuracy": 1e-4}
    compare(rows(1e-2), update=False, **options)
    assert compare(rows(1e-3), update=True, **options) == 0
    assert compare(rows(5e-3), update=True, **options) == 1
    assert compare(rows(5e-3), update=False, **options) == 1


@pytest.mark.slow
def test_a_problem_twice(write, tmp_path, capsys):  # noqa: F811
    baseline = tmp_path / "errors.json"
    arguments = ["check", str(write()), *QUICK, "--baseline", str(baseline)]
    assert main(arguments) == 0
    assert "is written: 6 gradients of problem" in capsys.readouterr().out
    assert main(arguments) == 0
    assert "0 of 6 gradients are proven to be worse" in capsys.readouterr().out
