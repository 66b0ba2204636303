"""The store holds every result once, whatever happened before."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gradaudit.errors import MissingResultError, SettingError
from gradaudit.pipeline.address import public_uri
from gradaudit.records.files import read_table, write_table
from gradaudit.stages import track
from gradaudit.tracking import sync
from gradaudit.tracking.store import default_uri, opened

Runs = Callable[[], list[Any]]
CHANGED = "solve/neuron/tsit5/dual_norm"


def keys(runs: list[Any]) -> Counter[str]:
    return Counter(run.data.tags[sync.KEY] for run in runs)


def by_key(runs: list[Any]) -> dict[str, Any]:
    return {run.data.tags[sync.KEY]: run for run in runs}


def done(results: dict[str, Any]) -> dict[str, Any]:
    return json.loads(results["output"].read_text())


def uri(results: dict[str, Any]) -> str:
    return default_uri(results["output"].parent.parent / "mlflow")


def metric_rows(results: dict[str, Any]) -> int:
    with sqlite3.connect(results["output"].parent.parent / "mlflow/mlflow.db") as connection:
        return connection.execute("SELECT count(*) FROM metrics").fetchone()[0]


def edit(path: Path, change: Callable[[pd.DataFrame], None]) -> None:
    table = read_table(path)
    change(table)
    write_table(table, path, stage="test", settings={})


def change_one_row(table: pd.DataFrame) -> None:
    rows = (table["solver"] == "tsit5") & (table["method"] == "dual_norm")
    table.loc[table.index[rows][0], "error"] *= 2.0


def change_every_row(table: pd.DataFrame) -> None:
    table["error"] *= 2.0


def assert_nested(runs: list[Any]) -> None:
    found = by_key(runs)
    for key, run in found.items():
        kind, _, rest = key.partition("/")
        parent = run.data.tags.get("mlflow.parentRunId")
        if kind in ("solve", "experiment"):
            assert parent == found[f"model/{rest.split('/')[0]}"].info.run_id
        else:
            assert parent is None


@pytest.mark.slow
def test_every_model_ladder_and_experiment_is_one_run(tracked: dict[str, Any], store: Runs) -> None:
    runs = store()
    kinds = Counter(run.data.tags["kind"] for run in runs)
    assert kinds == {"model": 2, "ladder": 12, "experiment": 1, "atlas": 1}
    assert set(keys(runs).values()) == {1}
    assert set(done(tracked)["runs"]) == set(keys(runs))
    assert_nested(runs)
    assert {run.info.status for run in runs} == {"FINISHED"}


@pytest.mark.slow
def test_metrics_are_stepped_over_tolerances(tracked: dict[str, Any], store: Runs) -> None:
    run = by_key(store())["solve/logistic/tsit5/forward_ad"].info.run_id
    table = read_table(tracked["tables"][0])
    table = table[(table["solver"] == "tsit5") & (table["method"] == "forward_ad")]
    wanted = table[table["functional"] == "trace_sse_V"].set_index("rtol")["error"]
    with opened(uri(tracked), "gradaudit") as (client, _):
        errors = {m.step: m.value for m in client.get_metric_history(run, "error/trace_sse_V")}
        rtols = {m.step: m.value for m in client.get_metric_history(run, "rtol")}
    assert {rtols[step]: error for step, error in errors.items()} == dict(wanted)
    assert rtols[6] == pytest.approx(1e-6)


def test_running_again_adds_nothing(tracked: dict[str, Any], store: Runs) -> None:
    before, rows = store(), metric_rows(tracked)
    track.run(**tracked)
    after = store()
    assert {run.info.run_id for run in after} == {run.info.run_id for run in before}
    assert {run.info.run_id: run.data.tags for run in after} == {
        run.info.run_id: run.data.tags for run in before
    }
    assert metric_rows(tracked) == rows
    assert done(tracked)["added"] == done(tracked)["replaced"] == []


def test_one_changed_row_replaces_its_run_and_its_parent(
    tracked: dict[str, Any], store: Runs
) -> None:
    edit(tracked["tables"][1], change_one_row)
    track.run(**tracked)
    assert sorted(done(tracked)["replaced"]) == ["model/neuron", CHANGED]
    assert not done(tracked)["added"]
    runs = store()
    assert sorted(keys(runs).values()) == [1] * 16
    assert_nested(runs)


@pytest.mark.slow
def test_a_store_that_was_deleted_is_rebuilt(tracked: dict[str, Any]) -> None:
    digests = done(tracked)["runs"]
    folder = tracked["output"].parent.parent / "mlflow"
    shutil.rmtree(folder)
    arguments = {
        key: list(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in tracked.items()
        if key != "settings"
    }
    # In a process of its own, for MLflow keeps a connection to the database that was deleted.
    code = """
import json, sys
from pathlib import Path
from gradaudit.stages import track
given = json.loads(sys.argv[1])
paths = {k: [*map(Path, v)] if isinstance(v, list) else Path(v) for k, v in given.items()}
track.run(**paths, settings={"uri": "", "experiment": "gradaudit"})
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, json.dumps(arguments)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "16 added, 0 replaced, 0 skipped" in ran.stdout
    assert ran.stderr == ""
    assert done(tracked)["runs"] == digests
    assert len(list((folder / "artifacts").iterdir())) == 16


@pytest.mark.slow
def test_a_run_that_was_left_unfinished_is_replaced(
    tracked: dict[str, Any], store: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, written = sync._upload, []

    def die_at_the_fifth(client: Any, identity: str, plan: Any) -> None:
        written.append(plan.key)
        if len(written) == 5:
            raise KeyboardInterrupt
        upload(client, identity, plan)

    for table in tracked["tables"]:
        edit(table, change_every_row)
    with monkeypatch.context() as patch:
        patch.setattr(sync, "_upload", die_at_the_fifth)
        with pytest.raises(KeyboardInterrupt):
            track.run(**tracked)
    assert by_key(store())[written[-1]].info.status == "RUNNING"
    track.run(**tracked)
    assert written[-1] in done(tracked)["replaced"]
    assert set(written[:-1]) < set(done(tracked)["skipped"])
    assert sorted(keys(store()).values()) == [1] * 16
    assert {run.info.status for run in store()} == {"FINISHED"}
    assert_nested(store())


def test_a_parent_that_is_gone_is_replaced_and_adopts_its_runs(
    tracked: dict[str, Any], store: Runs
) -> None:
    parent = by_key(store())["model/neuron"].info.run_id
    with opened(uri(tracked), "gradaudit") as (client, _):
        client.delete_run(parent)
    track.run(**tracked)
    assert done(tracked)["added"] == ["model/neuron"]
    assert_nested(store())


def test_a_key_never_appears_twice(tracked: dict[str, Any], store: Runs) -> None:
    with opened(uri(tracked), "gradaudit") as (client, experiment):
        client.create_run(experiment, tags={sync.KEY: CHANGED})
    track.run(**tracked)
    assert set(keys(store()).values()) == {1}
    assert CHANGED in done(tracked)["skipped"]


def test_runs_of_others_and_of_models_no_longer_listed_stay(
    tracked: dict[str, Any], store: Runs
) -> None:
    with opened(uri(tracked), "gradaudit") as (client, experiment):
        client.create_run(experiment, run_name="of a user")
    track.run(**{**tracked, "tables": tracked["tables"][:1]})
    stale = {run.data.tags.get(sync.KEY) for run in store() if sync.STALE in run.data.tags}
    assert len(store()) == 17
    assert len(stale) == 7
    assert all("neuron" in str(key) for key in stale)
    track.run(**tracked)
    assert not any(sync.STALE in run.data.tags for run in store())


def test_what_is_not_finite_is_told_and_not_logged(tracked: dict[str, Any], store: Runs) -> None:
    def spoil(table: pd.DataFrame) -> None:
        rows = (table["solver"] == "tsit5") & (table["method"] == "dual_norm")
        tightest = rows & (table["rtol"] < 2e-12)
        table.loc[tightest, "status"] = "max_steps"
        table.loc[tightest, ["error", "digits", "seconds"]] = np.nan
        first = rows & (table["rtol"] > 5e-4) & (table["functional"] == "terminal_V")
        table.loc[first, "error"] = np.inf

    edit(tracked["tables"][1], spoil)
    track.run(**tracked)
    run = by_key(store())[CHANGED]
    assert run.data.tags["status"] == "max_steps at rtol 1e-12"
    assert run.data.tags["not_finite"] == "error/terminal_V at rtol 1e-3"
    with opened(uri(tracked), "gradaudit") as (client, _):
        errors = client.get_metric_history(run.info.run_id, "error/terminal_V")
        failed = client.get_metric_history(run.info.run_id, "failed")
    assert sorted(metric.step for metric in errors) == list(range(4, 12))
    assert {metric.step for metric in failed if metric.value} == {12}
    values = [value for run in store() for value in run.data.metrics.values()]
    assert all(math.isfinite(value) and abs(value) < 1e300 for value in values)


def test_files_are_attached_to_the_run_that_they_belong_to(
    tracked: dict[str, Any], store: Runs
) -> None:
    runs = by_key(store())

    def files(key: str) -> set[str]:
        root = Path(runs[key].info.artifact_uri)
        return {str(path.relative_to(root)) for path in root.rglob("*.*")}

    assert files("model/neuron") == {
        "table/neuron.parquet",
        "table/audit.csv",
        "table/summary.csv",
        "table/verdicts.csv",
        "reference/certificate.json",
        "figures/convergence_neuron.png",
        "figures/attribution_neuron.png",
        "figures/experiment_neuron.png",
    }
    assert "figures/experiment_logistic.png" in files("experiment/logistic")
    assert "figures/regime_map.png" in files("atlas")
    assert "13.7 significant digits" in runs["model/neuron"].data.tags["mlflow.note.content"]


def test_runs_name_the_reference_that_they_are_compared_with(
    tracked: dict[str, Any], store: Runs
) -> None:
    runs = by_key(store())
    of_model, of_setting = (
        [one.dataset for one in runs[key].inputs.dataset_inputs]
        for key in ("model/neuron", "solve/neuron/tsit5/forward_ad")
    )
    assert [data.name for data in of_model] == ["reference of neuron"]
    assert of_model[0].digest == of_setting[0].digest
    (other,) = runs["model/logistic"].inputs.dataset_inputs
    assert other.dataset.source == '{"uri": "reference/logistic.nc"}'


def test_prepared_views_are_in_the_store_and_their_pages_in_the_file(
    tracked: dict[str, Any],
) -> None:
    done = json.loads(tracked["output"].read_text())
    assert list(done["views"])[:2] == ["Models by verdict", "Settings by model"]
    assert all(page.startswith("#/experiments/1/runs?") for page in done["views"].values())


def test_a_store_that_was_moved_finds_its_artifacts(
    tracked: dict[str, Any], tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    (tmp_path / "my results").rename(moved)
    there = {
        name: value
        if name == "settings"
        else [moved / path.relative_to(tmp_path / "my results") for path in value]
        if isinstance(value, list)
        else moved / value.relative_to(tmp_path / "my results")
        for name, value in tracked.items()
    }
    track.run(**there)
    assert len(done(there)["skipped"]) == 16
    with opened(uri(there), "gradaudit") as (client, experiment):
        run = client.search_runs([experiment], "tags.kind = 'atlas'")[0].info
        assert Path(run.artifact_uri).is_relative_to(moved / "mlflow/artifacts")
        assert client.list_artifacts(run.run_id, "figures")


@pytest.mark.parametrize("uri", ["file:///nowhere/mlruns", "gopher://nowhere"])
def test_a_store_that_cannot_be_used_is_told(tracked: dict[str, Any], uri: str) -> None:
    tracked["settings"]["uri"] = uri
    with pytest.raises(SettingError, match=r"tracking\.uri"):
        track.run(**tracked)


def test_a_missing_reference_is_told(tracked: dict[str, Any]) -> None:
    tracked["references"].pop()
    with pytest.raises(MissingResultError, match="reference of model neuron"):
        track.run(**tracked)


def test_passwords_are_not_written() -> None:
    assert public_uri("https://me:secret@host:80/path") == "https://host:80/path"
    assert public_uri("sqlite:///a b/mlflow.db") == "sqlite:///a b/mlflow.db"
