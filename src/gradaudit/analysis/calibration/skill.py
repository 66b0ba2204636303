"""How well indicators and scores tell bad gradients, measured on mechanisms that they never saw.

Leave one mechanism out: thresholds and coefficients come from all the others, and are judged on
that one. No number here is judged on the data that set it. Intervals are those of a bootstrap over
mechanisms, since rows of one mechanism are no independent evidence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gradaudit.analysis.bootstrap import interval, resampled
from gradaudit.analysis.calibration.fitting import fit, threshold, true_logarithm, usable
from gradaudit.analysis.calibration.score import FEATURES, FLOOR, logarithm
from gradaudit.analysis.calibration.stepping import limits
from gradaudit.records.catalogue import catalogue

Array = NDArray[Any]

RESAMPLES = 400
IDENTITY = ["model", "mechanism", "solver", "method", "rtol", "functional", "kind", "error",
            "converging", "verdict"]  # fmt: skip


def held_out(audits: pd.DataFrame, bound: float) -> pd.DataFrame:
    """What every score said of mechanisms that it had not seen, one row per (gradient, score).

    Columns: those of `IDENTITY`, ``score``, ``estimate``, ``low``, ``high`` and ``threshold``
    (log10), ``true`` (log10 of the true error).
    """
    rows = usable(audits)
    parts = []
    for mechanism in rows["mechanism"].unique():
        out = rows["mechanism"] == mechanism
        seen, left = rows[~out], rows[out]
        if seen["mechanism"].nunique() < 2:
            continue
        for name in FEATURES:
            score = fit(seen, name, bound)
            line = score.predict({c: left[c].to_numpy(dtype=float) for c in _INPUTS})
            low, high = score.interval(line, limits(left))
            parts.append(
                left[IDENTITY].assign(
                    score=name,
                    estimate=line,
                    low=low,
                    high=high,
                    threshold=score.threshold,
                    true=true_logarithm(left),
                )
            )
    if not parts:
        numbers = ["estimate", "low", "high", "threshold", "true", "error"]
        empty = pd.DataFrame(columns=[*IDENTITY, "score", *numbers[:-1]])
        return empty.astype(dict.fromkeys(numbers, float))
    return pd.concat(parts, ignore_index=True)


_INPUTS = ["neglected", *dict.fromkeys(name for names in FEATURES.values() for name in names)]


def skill(audits: pd.DataFrame, predictions: pd.DataFrame, bound: float) -> pd.DataFrame:
    """One row per indicator or score: its cost and its skill, with intervals.

    Columns
    -------
    indicator, kind, meaning
        Its name; "indicator" or "score"; in words.
    cost
        Median of what the gradient costs together with it, over the gradient alone.
    rows, covered
        Gradients, and the share of them for which it exists.
    spearman, auc, with ``_low`` and ``_high``
        Rank correlation with the true error; area under the ROC for errors above `bound`.
    threshold
        Median over the mechanisms left out, as a relative error or in the indicator's own unit.
    misses, false_alarms, with ``_low`` and ``_high``
        Shares of bad gradients without alarm, and of good ones with it, on mechanisms left out.
    missed_nonconverging
        Bad gradients without alarm in tolerance series that do not converge.
    """
    rows = usable(audits)
    skills = [
        _row(
            name,
            "indicator",
            indicator.description,
            _cost(rows, indicator.cost),
            _judged(rows, name, bound),
            bound,
        )
        for name, indicator in catalogue("indicators").items()
        if name in rows
    ]
    for name, own in predictions.groupby("score", sort=False):
        meaning = "from " + ", ".join(FEATURES[str(name)]) + " and neglected"
        known = catalogue("indicators")
        costs = [_cost(rows, known[feature].cost) for feature in FEATURES[str(name)]]
        cost = max(costs, default=math.nan)
        skills.append(_row(str(name), "score", meaning, cost, own, bound))
    return pd.DataFrame(skills)


def _judged(rows: pd.DataFrame, name: str, bound: float) -> pd.DataFrame:
    """What an indicator said, with a threshold from the other mechanisms."""
    estimates = logarithm(rows[name].to_numpy(dtype=float))
    judged = rows[IDENTITY].assign(
        estimate=estimates, true=true_logarithm(rows), threshold=math.nan
    )
    bad, mechanisms = (rows["error"] > bound).to_numpy(), pd.factorize(rows["mechanism"])[0]
    for mechanism in np.unique(mechanisms):
        out = mechanisms == mechanism
        if not out.all():
            bound_here = threshold(estimates[~out], bad[~out], mechanisms[~out], bound)
            judged.loc[out, "threshold"] = bound_here
    return judged


def _row(
    name: str, kind: str, meaning: str, cost: float, judged: pd.DataFrame, bound: float
) -> dict[str, Any]:
    known = judged[np.isfinite(judged["estimate"])]
    bad = (known["error"] > bound).to_numpy()
    alarm = (known["estimate"] >= known["threshold"]).to_numpy()
    # of what is ranked only the order counts, and whole numbers are ranked faster
    estimate, true = (pd.factorize(known[name], sort=True)[0] for name in ("estimate", "true"))
    table = {"estimate": estimate, "true": true, "bad": bad, "alarm": alarm}
    drawn = [
        _measures({key: values[places] for key, values in table.items()})
        for places in resampled(known["mechanism"].to_numpy(), draws=RESAMPLES, seed=0)
    ]
    missed_stuck = bad & ~alarm & ~known["converging"].to_numpy(dtype=bool)
    return {
        "indicator": name,
        "kind": kind,
        "meaning": meaning,
        "cost": cost,
        "rows": len(known),
        "covered": len(known) / len(judged) if len(judged) else math.nan,
        **_with_intervals(_measures(table), drawn),
        "threshold": 10.0 ** float(known["threshold"].median()) if len(known) else math.nan,
        "missed_nonconverging": int(missed_stuck.sum()),
        "nonconverging": int((bad & ~known["converging"].to_numpy(dtype=bool)).sum()),
    }


def _measures(t: dict[str, Array]) -> dict[str, float]:
    estimate, true = ranks(t["estimate"]), ranks(t["true"])
    return {
        "spearman": correlation(estimate, true),
        "auc": area(estimate, t["bad"]),
        "misses": _share(~t["alarm"], t["bad"]),
        "false_alarms": _share(t["alarm"], ~t["bad"]),
    }


def _with_intervals(point: dict[str, float], drawn: list[dict[str, float]]) -> dict[str, float]:
    columns: dict[str, float] = {}
    for key, value in point.items():
        low, high = interval(np.array([measures[key] for measures in drawn]))
        columns |= {key: value, f"{key}_low": low, f"{key}_high": high}
    return columns


def area(places: Array, bad: Array) -> float:
    """Area under the ROC, from `ranks`: how often the bad one of two ranks higher, ties half."""
    positive, negative = int(np.sum(bad)), int(np.sum(~bad))
    if not positive or not negative:
        return math.nan
    return float((places[bad].sum() - positive * (positive + 1) / 2) / (positive * negative))


def ranks(order: Array) -> Array:
    """`scipy.stats.rankdata` of whole numbers from 0: counted, not sorted."""
    counts = np.bincount(order)
    return (np.cumsum(counts) - 0.5 * (counts - 1))[order]


def correlation(a: Array, b: Array) -> float:
    """Of ranks; NaN where one of them does not vary."""
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])


def roc(estimates: Array, bad: Array) -> tuple[Array, Array]:
    """False alarms and hits, as shares, for every threshold."""
    order = np.argsort(-estimates, kind="stable")
    hits, false = np.cumsum(bad[order]), np.cumsum(~bad[order])
    last = np.append(np.diff(estimates[order]) != 0, True)  # ties are one step
    return (
        np.append(0.0, false[last] / max(int(false[-1]), 1)),
        np.append(0.0, hits[last] / max(int(hits[-1]), 1)),
    )


def fooled(predictions: pd.DataFrame, bound: float) -> pd.DataFrame:
    """Bad gradients without alarm: how many, by score, model and functional, the worst first."""
    missed = predictions[
        (predictions["error"] > bound) & (predictions["estimate"] < predictions["threshold"])
    ]
    if missed.empty:
        return pd.DataFrame(columns=["score", "mechanism", "model", "functional", "rows", "worst"])
    keys = ["score", "mechanism", "model", "functional"]
    table = missed.groupby(keys, sort=False)["error"].agg(rows="size", worst="max").reset_index()
    return table.sort_values(["score", "worst"], ascending=[True, False], ignore_index=True)


def calibration(predictions: pd.DataFrame) -> pd.DataFrame:
    """By score and mechanism, and over all alike: how often the true error lies in the interval."""
    return pd.DataFrame(_coverages(predictions))


def _coverages(predictions: pd.DataFrame) -> Iterator[dict[str, Any]]:
    known = predictions[np.isfinite(predictions["estimate"])]
    inside = (known["true"] >= known["low"]) & (known["true"] <= known["high"])
    # an error that cannot be distinguished from rounding is below any interval, and no surprise
    inside |= (known["true"] <= FLOOR + 2) & (known["low"] <= FLOOR + 2)
    known = known.assign(inside=inside, above=~inside & (known["true"] > known["high"]))
    for score, rows in known.groupby("score", sort=False):
        by = rows.groupby("mechanism")[["inside", "above"]].mean()
        size = rows.groupby("mechanism").size()
        for mechanism, line in by.iterrows():
            yield {
                "score": score, "mechanism": mechanism, "inside": float(line["inside"]),
                "above": float(line["above"]), "rows": int(size[mechanism]),
            }  # fmt: skip
        yield {
            "score": score, "mechanism": "all", "inside": float(by["inside"].mean()),
            "above": float(by["above"].mean()), "rows": len(rows),
        }  # fmt: skip


def _cost(rows: pd.DataFrame, column: str) -> float:
    """Median cost of the gradient with the indicator, over the gradient's own.

    `column` has the seconds of both; empty where the indicator takes no further solve. NaN where
    nothing was timed.
    """
    if not column:
        return 1.0
    if column not in rows:
        return math.nan
    ratio = (rows[column] / rows["seconds"]).to_numpy(dtype=float)
    return float(np.nanmedian(ratio)) if np.isfinite(ratio).any() else math.nan


def _share(chosen: Array, among: Array) -> float:
    total = int(np.sum(among))
    return float(np.sum(chosen & among) / total) if total else math.nan
