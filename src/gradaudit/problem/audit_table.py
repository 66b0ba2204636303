"""The table of an audited problem: error, origin of the error, cost and verdict of each setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.evaluation.verdict import Thresholds, judge_ladder, reason_for
from gradaudit.evaluation.work import work
from gradaudit.problem.certified import ReferenceGradient
from gradaudit.problem.comparison import MARGIN, compare
from gradaudit.problem.gradient import Gradient

UNKNOWN = "unknown"
NOT_INTEGRATED = "not_integrated"
"""The verdict where only steady states are needed: they are certified, whatever the solver."""


def audit_table(
    gradients: Sequence[Gradient], exact: ReferenceGradient | None, thresholds: Thresholds
) -> pd.DataFrame:
    """One row per gradient; each solver and method is one tolerance series.

    The setting is in `solver`, `method`, `rtol` and `atol`; `failed` are conditions without a
    result, and `status` says why. The fields of `gradaudit.problem.comparison.Comparison` follow,
    with the first of its shares: `condition`, `condition_share`, `observable`, `observable_share`.
    `verdict`, `reason`, `converging` and `sufficient_rtol` are those of
    `gradaudit.evaluation.verdict`; the verdict is "unknown"
    where the certified digits do not carry one, and `NOT_INTEGRATED` where no solver had anything
    to do. Costs are `steps`, `seconds`, `compile_seconds` and `work` of all `solves`; `value` and
    `gradient` (K,) are what was computed.
    """
    table = pd.DataFrame([_row(own, exact, thresholds) for own in gradients])
    parts = [
        _judged(series, thresholds) for _, series in table.groupby(["solver", "method"], sort=False)
    ]
    return pd.concat(parts).reset_index(drop=True)


def _row(
    found: Gradient, exact: ReferenceGradient | None, thresholds: Thresholds
) -> dict[str, Any]:
    against = compare(found, exact, cancellation=thresholds.cancellation)
    setting = found.setting
    rtol = float(setting["rtol"])
    condition, condition_share = _first(against.conditions)
    observable, observable_share = _first(against.observables)
    return {
        "solver": setting["solver"],
        "method": setting["method"],
        "rtol": rtol,
        "atol": float(setting.get("atol") or 1e-3 * rtol),
        "status": found.status.partition(":")[0],
        "failed": [name for name, own in found.statuses.items() if own != "ok"],
        "error": against.error,
        "resolution": against.resolution,
        "cosine": against.cosine,
        "parameter": against.parameter,
        "parameter_error": against.parameter_error,
        "condition": condition,
        "condition_share": condition_share,
        "observable": observable,
        "observable_share": observable_share,
        "conditions": dict(against.conditions),
        "observables": dict(against.observables),
        "solves": found.stats["solves"],
        "steps": found.stats["steps"],
        "accepted": found.stats["accepted"],
        "rejected": found.stats["rejected"],
        "seconds": found.stats["seconds"],
        "compile_seconds": found.stats["compile_seconds"],
        "work": work(
            base_solver=setting["solver"],
            method=setting["method"],
            steps=found.stats["steps"],
            parameters=len(found.parameters),
        ),
        "indicator": found.indicator,
        "value": found.value,
        "gradient": found.gradient.tolist(),
    }


def _first(shares: Mapping[str, float]) -> tuple[str, float]:
    return next(iter(shares.items()), ("", math.nan))


def _judged(series: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """One tolerance series with its verdicts, unknown where the reference is too coarse."""
    error, resolution = series["error"].to_numpy(), series["resolution"].to_numpy()
    ladder, verdicts = judge_ladder(
        series["rtol"].tolist(),
        error.tolist(),
        series["cosine"].tolist(),
        thresholds,
        floors=(MARGIN * resolution).tolist(),
    )
    solved = (series["status"] == "ok").to_numpy()
    coarse = (1.0 + MARGIN) * resolution > thresholds.good
    with np.errstate(invalid="ignore"):
        hidden = solved & ~(error > MARGIN * resolution) & coarse
        # a series that runs into the reference's own error seems to stop converging
        stopped = hidden.any() & (error <= thresholds.horrible)
    unknown = hidden | (stopped & (np.array(verdicts) == "horrible"))
    steady = solved & (series["solves"] == 0.0).to_numpy()
    verdict = np.where(steady, NOT_INTEGRATED, np.where(unknown, UNKNOWN, verdicts))
    reasons = [
        reason_for(own, cosine, ladder.trend, thresholds)
        for own, cosine in zip(error, series["cosine"], strict=True)
    ]
    return series.assign(
        verdict=verdict,
        kind="log_likelihood",
        reason=np.where(steady, NOT_INTEGRATED, reasons),
        sufficient_rtol=ladder.sufficient,
        converging=ladder.converging & ~steady,
        trend=ladder.trend,
    )
