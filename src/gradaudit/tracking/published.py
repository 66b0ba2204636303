"""The run of the published experiment: every variant, stepped over tolerances."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from gradaudit.tracking.names import Steps, metric_names
from gradaudit.tracking.plan import (
    NOTE,
    PARAM_LENGTH,
    TAG_LENGTH,
    Artifact,
    RunPlan,
    readings,
    texts,
)
from gradaudit.tracking.tables import csv_artifact, markdown_table, tolerance

QUANTITIES = (
    "gradient_norm", "error_norm", "state_part", "tangent_part", "residual_max", "tangent_error",
    "steps",
)  # fmt: skip
"""What is a metric; the rest is in the table of the run."""


def published_plan(
    table: pd.DataFrame,
    *,
    model: str,
    parent: str,
    steps: Steps,
    provenance: Mapping[str, str],
    artifacts: tuple[Artifact, ...],
) -> RunPlan:
    """The run of one model's experiment; metrics are called ``variant/quantity``."""
    table = table.sort_values(["variant", "rtol"], ascending=[True, False])
    variants = metric_names(table["variant"])
    quantities = [name for name in QUANTITIES if name in table]
    values = [
        (f"{variants[variant]}/{quantity}", steps(rtol), value)
        for quantity in quantities
        for variant, rtol, value in zip(
            table["variant"], table["rtol"], table[quantity], strict=True
        )
    ]
    tolerances = sorted(set(table["rtol"]), reverse=True)
    return RunPlan(
        key=f"experiment/{model}",
        name=f"published experiment {model}",
        parent=parent,
        params=texts(
            {
                "model": model,
                "variants": ", ".join(sorted(set(table["variant"]))),
                "rtol_loosest": float(tolerances[0]),
                "rtol_tightest": float(tolerances[-1]),
            },
            length=PARAM_LENGTH,
        ),
        tags=texts(
            {
                "kind": "experiment",
                "model": model,
                "status": _status(table),
                NOTE: _note(table, model),
                **provenance,
            },
            length=TAG_LENGTH,
        ),
        readings=readings([*values, *(("rtol", steps(rtol), rtol) for rtol in tolerances)]),
        artifacts=(*artifacts, csv_artifact(table, "table/experiment.csv")),
    )


def _status(table: pd.DataFrame) -> str:
    bad = table[table["status"] != "ok"]
    rows = zip(bad["variant"], bad["status"], bad["rtol"], strict=True)
    lost = [f"{variant} {status} at rtol {tolerance(rtol)}" for variant, status, rtol in rows]
    return "; ".join(lost) or "ok"


def _note(table: pd.DataFrame, model: str) -> str:
    norms = table.pivot(index="rtol", columns="variant", values="gradient_norm")
    norms = norms.sort_index(ascending=False).reset_index()
    return (
        f"### Published experiment on {model}\n\n"
        "Norm of the gradient of a loss against a target that the same model made, with the same "
        "parameters: it should vanish. One column a variant of the solve:\n\n"
        + markdown_table(norms.astype(float))
    )
