"""Runs of one model: the parent of its tolerance series and of the published experiment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.records.labels import method_name
from gradaudit.records.numbers import rounded_down
from gradaudit.tracking.names import Steps, metric_names
from gradaudit.tracking.plan import (
    NOTE,
    PARAM_LENGTH,
    TAG_LENGTH,
    Artifact,
    DataSet,
    RunPlan,
    readings,
    texts,
)
from gradaudit.tracking.tables import (
    csv_artifact,
    markdown_table,
    meaningful,
    sentence_of_counts,
    verdict_counts,
    worst,
)
from gradaudit.tracking.usable import Usable, counted

GROUP = ["solver", "method", "functional"]


def model_key(model: str) -> str:
    """The key of a model's run."""
    return f"model/{model}"


def model_facts(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Params that all runs of a model share, from the attributes of its reference."""
    model = json.loads(attributes["model_json"])
    return {
        "model": model["key"],
        "n_states": len(model["states"]),
        "n_parameters": len(model["parameters"]),
        "t_end": f"{model['t_end']:g} {model.get('time_unit') or ''}".strip(),
        "reference_digits": float(attributes["digits"]),
    }


def model_plan(
    table: pd.DataFrame,
    *,
    model: str,
    best: tuple[str, str, Usable] | None,
    reference: Mapping[str, Any],
    steps: Steps,
    provenance: Mapping[str, str],
    artifacts: tuple[Artifact, ...],
    data: DataSet | None = None,
) -> RunPlan:
    """The parent run of one model.

    Parameters
    ----------
    table
        All rows of the model's audit.
    best
        Its cheapest setting whose gradients are right, see `gradaudit.tracking.usable`.
    reference
        Attributes of the model's reference.
    artifacts
        Files of the model, such as its table and figures.
    data
        Its reference.
    """
    facts = json.loads(reference["model_json"])
    ladders = table.groupby(GROUP, sort=True).first().reset_index()
    counted = meaningful(ladders)
    counts = verdict_counts(counted["ladder_verdict"])
    said = sentence_of_counts(counts, len(ladders) - len(counted))
    cells = _cells(table, ladders)
    return RunPlan(
        key=model_key(model),
        name=model,
        params=texts(
            {
                **model_facts(reference),
                "solvers": ", ".join(sorted(set(table["solver"]))),
                "methods": ", ".join(sorted(set(table["method"]))),
                "rtol_loosest": float(table["rtol"].max()),
                "rtol_tightest": float(table["rtol"].min()),
            },
            length=PARAM_LENGTH,
        ),
        tags=texts(
            {
                "kind": "model",
                "model": model,
                "mechanism": facts.get("mechanism"),
                "regime": facts.get("regime"),
                "verdict": worst(ladders["ladder_verdict"]),
                "best": f"{best[0]} {best[1]} at rtol {best[2].needed}" if best else "none",
                "status": reference["status"],
                NOTE: _note(facts, reference, said, cells, best),
                **provenance,
            },
            length=TAG_LENGTH,
        ),
        readings=readings(
            [
                ("reference_digits", 0, float(reference["digits"])),
                ("integral_digits", 0, float(reference.get("integral_digits", np.nan))),
                *((f"ladders_{word}", 0, count) for word, count in counts.items()),
                ("best_work", 0, best[2].work if best else np.nan),
                *_curves(table, steps),
            ]
        ),
        artifacts=(
            *artifacts,
            csv_artifact(table, "table/audit.csv"),
            csv_artifact(cells, "table/summary.csv"),
            csv_artifact(
                ladders.pivot(
                    index=["solver", "method"], columns="functional", values="ladder_verdict"
                ),
                "table/verdicts.csv",
                index=True,
            ),
            Artifact(path="reference/certificate.json", content=_certificate(reference)),
        ),
        data=data,
    )


def _curves(table: pd.DataFrame, steps: Steps) -> Iterator[tuple[str, int, Any]]:
    """The largest error of the counted functionals, a line a setting."""
    table = table[table["functional"].isin(counted(table))]
    settings = table["solver"] + " " + table["method"]
    names = metric_names(settings)
    for (setting, rtol), rows in table.groupby([settings, "rtol"], sort=True):
        step = steps(float(str(rtol)))
        yield f"worst_error/{names[str(setting)]}", step, rows["error"].max(skipna=False)


def _cells(table: pd.DataFrame, ladders: pd.DataFrame) -> pd.DataFrame:
    """One row per (solver, method): verdicts, order and what is reached."""
    rows = []
    for (solver, method), group in ladders.groupby(["solver", "method"], sort=True):
        mine = table[(table["solver"] == solver) & (table["method"] == method)]
        best = mine.groupby("functional")["digits"].max()
        rows.append(
            {
                "solver": solver,
                "method": method,
                **verdict_counts(meaningful(group)["ladder_verdict"]),
                "median order": float(group["order"].median()),
                "digits of all": float(best.min(skipna=False)),
                "fewest digits": str(best.idxmin()) if best.notna().all() else "",
                "failed solves": int(mine.loc[mine["status"] != "ok", "rtol"].nunique()),
            }
        )
    return pd.DataFrame(rows)


def _note(
    facts: Mapping[str, Any],
    reference: Mapping[str, Any],
    counted: str,
    cells: pd.DataFrame,
    best: tuple[str, str, Usable] | None,
) -> str:
    units = f"{facts['t_end']:g} {facts.get('time_unit') or ''}".strip()
    expected = f" Expected regime: **{facts['regime']}**." if facts.get("regime") else ""
    standing = f" Mechanism: **{facts['mechanism']}**." if facts.get("mechanism") else ""
    # The user interface shows the first lines and hides the rest behind "Show more".
    parts = [
        f"**{facts['name']}**: {_cheapest(best)}",
        f"{counted}. Reference: "
        f"**{rounded_down(float(reference['digits']))} significant digits** of the "
        f"sensitivities certified (status: {reference['status']}).",
        f"{len(facts['states'])} states, {len(facts['parameters'])} parameters, t from 0 to "
        f"{units}.{standing}{expected}",
        str(facts.get("description") or ""),
        "Functionals that are good, bad and horrible over the whole tolerance series:",
        markdown_table(cells),
        f"*{facts['citation']}*" if facts.get("citation") else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _cheapest(best: tuple[str, str, Usable] | None) -> str:
    if best is None:
        return "no setting has right gradients of all functionals."
    solver, method, found = best
    return (
        f"the cheapest setting with right gradients of all functionals is **{solver}, "
        f"{method_name(method)}, rtol {found.needed}** ({found.functional} needs that tolerance)."
    )


def _certificate(reference: Mapping[str, Any]) -> bytes:
    """The certificate of the reference: digits, status, and every rung that was climbed."""
    held = {name: str(reference.get(name, "")) for name in ("digits", "integral_digits", "status")}
    rungs = json.loads(reference.get("rungs_json", "[]"))
    return json.dumps({**held, "rungs": rungs}, indent=2, sort_keys=True).encode()
