"""Names, steps and digests of what is logged."""

from __future__ import annotations

import math

import pytest

from gradaudit.tracking.names import Steps, metric_names
from gradaudit.tracking.plan import Artifact, Reading, RunPlan, readings, texts


def test_names_that_mlflow_refuses_stay_different() -> None:
    names = metric_names(["terminal(V)", "terminal[V]", "terminal_V", "Terminal(V)", "größe"])
    assert names["terminal_V"] == "terminal_V"
    assert len({name.lower() for name in names.values()}) == 5
    assert all(
        set(name) <= set("abcdefghijklmnopqrstuvwxyzTV_-0123456789") for name in names.values()
    )


@pytest.mark.parametrize(
    ("tolerances", "per_decade"),
    [([1e-3, 1e-6, 1e-12], 1), ([1e-3, 10**-3.5, 1e-4], 2), ([1e-3, 5e-4, 2e-4, 1e-4], 4)],
)
def test_every_tolerance_has_a_step_of_its_own(tolerances: list[float], per_decade: int) -> None:
    steps = Steps(tolerances)
    assert steps.per_decade == per_decade
    found = [steps(rtol) for rtol in tolerances]
    assert found == sorted(set(found))


def test_only_finite_values_are_readings() -> None:
    found = readings([("a", 1, math.inf), ("a", 2, math.nan), ("a", 3, None), ("a", 4, 1)])
    assert found == (Reading(name="a", step=4, value=1.0),)


def test_long_and_empty_texts() -> None:
    assert texts({"a": "x" * 30, "b": None, "c": "", "d": 1e-6}, length=10) == {
        "a": "x" * 9 + "…",
        "d": "1e-06",
    }


def test_the_digest_is_that_of_the_content() -> None:
    one = Reading(name="a", step=0, value=1.0)
    two = Reading(name="a", step=1, value=2.0)
    plan = RunPlan(key="k", name="n", tags={"x": "1", "y": "2"}, readings=(one, two))
    same = RunPlan(key="k", name="n", tags={"y": "2", "x": "1"}, readings=(two, one), parent="p")
    assert plan.digest == same.digest
    other = RunPlan(
        key="k",
        name="n",
        tags={"x": "1", "y": "2"},
        readings=(one, two),
        artifacts=(Artifact(path="f", content=b"1"),),
    )
    assert other.digest != plan.digest
