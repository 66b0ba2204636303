"""Bringing a store in line with plans: adds what is missing, replaces what differs, skips the rest.

MLflow chooses the ids of runs, so a run is found by the tag `KEY`. The tag `DIGEST` is set last: a
run without it was left unfinished, and is replaced.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from gradaudit.tracking.plan import DataSet, RunPlan

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run

KEY = "gradaudit.key"
DIGEST = "gradaudit.digest"
STALE = "gradaudit.stale"
"""Set on runs of models, solvers or methods that the configuration no longer names."""

_PARENT = "mlflow.parentRunId"
_METRICS, _TEXTS = 1000, 100  # the most that one request may hold


@dataclass(kw_only=True)
class SyncResult:
    """What was done: the digest of every key, and the keys by what happened to them."""

    runs: dict[str, str] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def synchronise(client: MlflowClient, experiment: str, plans: Iterable[RunPlan]) -> SyncResult:
    """Make the runs of an experiment what the plans say; runs of others are left alone.

    Parameters
    ----------
    client, experiment
        An open store, and the id of an experiment in it.
    plans
        Parents before the runs that are nested in them.
    """
    outcome = SyncResult()
    existing = _existing_runs(client, experiment)
    ids: dict[str, str] = {}
    successor: dict[str, str] = {}
    for plan in plans:
        digest = plan.digest
        parent = ids.get(plan.parent, "")
        active = existing.pop(plan.key, [])
        kept = next((run for run in active if _is_complete(run, digest)), None)
        outdated = [run.info.run_id for run in active if run is not kept]
        for identity in outdated:
            client.delete_run(identity)
        if kept is None:
            ids[plan.key] = _write(client, experiment, plan, digest, parent)
            (outcome.replaced if outdated else outcome.added).append(plan.key)
        else:
            ids[plan.key] = kept.info.run_id
            _correct_tags(client, kept, parent)
            outcome.skipped.append(plan.key)
        successor |= dict.fromkeys(outdated, ids[plan.key])
        outcome.runs[plan.key] = digest
    for run in (run for runs in existing.values() for run in runs):
        _mark_stale(client, run, successor)
    return outcome


def _existing_runs(client: MlflowClient, experiment: str) -> dict[str, list[Run]]:
    """Active runs with a key, by their key."""
    by_key: dict[str, list[Run]] = defaultdict(list)
    token: str | None = None
    while True:
        page = client.search_runs(
            [experiment], filter_string=f"tags.`{KEY}` LIKE '%'", max_results=1000, page_token=token
        )
        for run in page:
            by_key[run.data.tags[KEY]].append(run)
        token = page.token
        if not token:
            return dict(by_key)


def _is_complete(run: Run, digest: str) -> bool:
    return run.data.tags.get(DIGEST) == digest and run.info.status == "FINISHED"


def _write(client: MlflowClient, experiment: str, plan: RunPlan, digest: str, parent: str) -> str:
    from mlflow.entities import Metric, Param, RunTag

    now = time.time_ns() // 1_000_000
    tags = {KEY: plan.key, "mlflow.runName": plan.name, "mlflow.source.name": "gradaudit track"}
    if parent:
        tags[_PARENT] = parent
    identity = client.create_run(experiment, start_time=now, tags=tags).info.run_id
    try:
        for some in _chunks([Param(*pair) for pair in sorted(plan.params.items())], _TEXTS):
            client.log_batch(identity, params=some)
        for some in _chunks([RunTag(*pair) for pair in sorted(plan.tags.items())], _TEXTS):
            client.log_batch(identity, tags=some)
        metrics = [Metric(r.name, r.value, now, r.step) for r in plan.readings]
        for some in _chunks(metrics, _METRICS):
            client.log_batch(identity, metrics=some)
        if plan.data is not None:
            client.log_inputs(identity, datasets=[_input(plan.data)])
        if plan.artifacts:
            _upload(client, identity, plan)
        client.set_terminated(identity, "FINISHED")
    except Exception:
        with suppress(Exception):
            client.set_terminated(identity, "FAILED")
        raise
    client.set_tag(identity, DIGEST, digest)
    return str(identity)


def _input(data: DataSet) -> DatasetInput:
    from mlflow.entities import Dataset, DatasetInput

    source = json.dumps({"uri": data.file})
    return DatasetInput(
        Dataset(name=data.name, digest=data.digest, source_type="local", source=source)
    )


def _upload(client: MlflowClient, identity: str, plan: RunPlan) -> None:
    with TemporaryDirectory() as folder:
        for artifact in plan.artifacts:
            path = Path(folder, artifact.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(artifact.content)
        client.log_artifacts(identity, folder)


def _correct_tags(client: MlflowClient, run: Run, parent: str) -> None:
    """A run that stays is nested in the parent's present run, which may be a new one."""
    present = run.data.tags.get(_PARENT, "")
    if parent and present != parent:
        client.set_tag(run.info.run_id, _PARENT, parent)
    elif present and not parent:
        client.delete_tag(run.info.run_id, _PARENT)
    if STALE in run.data.tags:
        client.delete_tag(run.info.run_id, STALE)


def _mark_stale(client: MlflowClient, run: Run, successor: dict[str, str]) -> None:
    parent = run.data.tags.get(_PARENT, "")
    if parent in successor:
        client.set_tag(run.info.run_id, _PARENT, successor[parent])
    if STALE not in run.data.tags:
        client.set_tag(run.info.run_id, STALE, "true")


def _chunks(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some
