"""Plans of all runs from the files of the results; no store is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gradaudit.errors import MissingResultError
from gradaudit.tracking.collect import Results, _figures_by_model, collect

FILES = ("tables", "references", "experiments", "verdicts", "figures")


def plans(written: dict[str, Any], **changes: Any) -> list[Any]:
    return list(collect(Results(**{name: written[name] for name in FILES} | changes)))


@pytest.fixture(scope="module")
def collected(written: dict[str, Any]) -> list[Any]:
    return plans(written)


def test_parents_come_first_and_the_atlas_last(collected: list[Any]) -> None:
    keys = [plan.key for plan in collected]
    assert keys[0] == "model/logistic"
    assert keys[7] == "model/neuron"
    assert all(key.startswith("solve/logistic/") for key in keys[1:7])
    assert keys[-2:] == ["experiment/logistic", "atlas"]
    assert len(keys) == len(set(keys)) == 2 * 7 + 2


def test_runs_are_nested_in_the_run_of_their_model(collected: list[Any]) -> None:
    parents = {plan.key: plan.parent for plan in collected}
    assert parents["solve/neuron/tsit5/dual_norm"] == "model/neuron"
    assert parents["experiment/logistic"] == "model/logistic"
    assert parents["model/neuron"] == parents["atlas"] == ""


def test_an_experiment_on_a_model_without_audit_has_no_parent(written: dict[str, Any]) -> None:
    tables = [path for path in written["tables"] if path.stem != "logistic"]
    parents = {plan.key: plan.parent for plan in plans(written, tables=tables)}
    assert parents["experiment/logistic"] == ""


def test_figures_go_to_the_run_that_they_show(collected: list[Any]) -> None:
    figures = {
        plan.key: {a.path for a in plan.artifacts if a.path.startswith("figures/")}
        for plan in collected
    }
    assert figures["model/logistic"] == {
        "figures/attribution_logistic.png",
        "figures/convergence_logistic.png",
    }
    assert figures["experiment/logistic"] == {"figures/experiment_logistic.png"}
    assert figures["atlas"] == {"figures/regime_map.png"}


def test_tags_say_where_a_table_comes_from(collected: list[Any]) -> None:
    assert {plan.tags["provenance.stage"] for plan in collected} == {"test"}


def test_the_longest_name_of_a_model_that_fits_owns_a_figure() -> None:
    paths = [Path(f"laws_{name}.png") for name in ("neuron", "liu_neuron")]
    found = _figures_by_model([*paths, Path("laws.png")], {"neuron", "liu_neuron"})
    assert found == {"": [Path("laws.png")], "neuron": paths[:1], "liu_neuron": paths[1:]}


def test_a_file_that_is_missing_is_named(written: dict[str, Any]) -> None:
    with pytest.raises(MissingResultError, match=r"none\.parquet does not exist: run the stage"):
        plans(written, experiments=[Path("none.parquet")])
    with pytest.raises(MissingResultError, match="The reference of model logistic is missing"):
        plans(written, references=[])
