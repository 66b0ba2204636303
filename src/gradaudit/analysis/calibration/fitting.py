"""Scores learned from audits, where the true errors are known.

Every mechanism has the same weight, however many models and rows it has, for a user's model is a
draw of a mechanism and not of a row. The line is that of the least absolute deviations, so that a
few wild rows do not bend it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gradaudit.analysis.audit_rows import vanishing
from gradaudit.analysis.calibration.score import (
    CEILING,
    FEATURES,
    FLOOR,
    LARGE,
    LINEAR,
    Score,
    logarithm,
)
from gradaudit.analysis.calibration.stepping import LIMITS, limits

Array = NDArray[np.float64]

ITERATIONS = 12
SOFT = 0.05  # of a decade: deviations below it count quadratically
SPREAD = (0.05, 0.95)
COVERED = 0.9
"""Share of the mechanisms in which an interval is to hold in the cases within `SPREAD`.

The spread of all cases together is half as wide, and holds in half of the cases of some mechanisms.
"""
MARGIN = 0.05  # of a power of ten, around the ends between which estimates count
TAILS = (0.05, 0.045, 0.04, 0.035, 0.03, 0.025, 0.02, 0.015, 0.01, 0.005)
"""Levels of the lower bound that are tried, one after the other."""
GROUPS = 10  # in which mechanisms are left out
FEWEST = 5
"""Mechanisms that have to have solves of a kind for these to have bounds of their own."""
ONE_DIRECTION = (-0.292, 1.203)
"""log10 of |D| / |D w| in 90 % of the directions w of signs, where D has many columns.

D w / |D| is standard normal there, and within 0.063 and 1.96 in absolute value. It is not learned:
most models of an atlas have so few parameters that any direction sees most of the error.
"""
ALLOWED_MISSES = 0.01
"""Share of the bad gradients, every mechanism alike, that the threshold may miss in training."""
FALSE_ALARMS = 0.02
"""Share of the good gradients that may have an alarm, if fewer bad ones are missed for it.

A threshold at the bound itself misses gradients that are wrong by little more than the bound.
"""


def usable(audits: pd.DataFrame, method: str | None = "forward_ad") -> pd.DataFrame:
    """Rows on which an indicator can be right or wrong.

    The solve worked, the true error is known and relative: not of a gradient that is zero to what
    its terms resolve, nor of a functional that is piecewise constant. Of one method, if given, and
    of plain solvers.
    """
    keep = (audits["status"] == "ok") & np.isfinite(audits["error"])
    keep &= (audits["error"] == audits["relative_error"]) & ~audits["piecewise_constant"]
    keep &= ~vanishing(audits)
    if method is not None:
        keep &= audits["method"] == method
    return audits[keep].reset_index(drop=True)


def true_logarithm(rows: pd.DataFrame) -> Array:
    """log10 of the true relative error."""
    return logarithm(rows["error"].to_numpy(dtype=float))


def balanced(mechanism: Any) -> Array:
    """Weights that sum to 1, with every mechanism (N,) alike."""
    _, place, count = np.unique(mechanism, return_inverse=True, return_counts=True)
    return 1.0 / (count[place] * len(count))


def fit(
    rows: pd.DataFrame, name: str, bound: float, *, false_alarms: float = FALSE_ALARMS
) -> Score:
    """The score of that name from usable rows; errors above `bound` are to be warned of.

    The spread comes from mechanisms left out one at a time, as a user's would be. The score along
    one direction is that of the whole estimate, with the spread of the direction.
    """
    if name == "probed":
        # The spread of the direction makes false alarms enough.
        whole = fit(rows, "propagated", bound, false_alarms=0.0)
        near, far = ONE_DIRECTION
        return replace(
            whole, name=name, features=FEATURES[name], low=whole.low + near,
            high=whole.high + far, threshold=whole.threshold - far, intervals={},
        )  # fmt: skip
    cases = Cases.of(rows, name)
    score = _line(cases, name)
    names = np.unique(cases.mechanism)
    estimates = score.predict(cases.indicators)
    residuals = cases.true - estimates
    for mechanism in names if len(names) > 2 else []:
        out = cases.mechanism == mechanism
        line = _line(cases[~out], name).predict(cases[out].indicators)
        residuals[out] = cases.true[out] - line
    low, high = spread([residuals[cases.mechanism == mechanism] for mechanism in names])
    bad = cases.true > np.log10(bound)
    alarm = threshold(estimates, bad, cases.mechanism, bound)
    good = ~bad & np.isfinite(estimates)
    if false_alarms > 0.0 and good.any():
        weights = balanced(cases.mechanism[good])
        alarm = min(alarm, quantile(estimates[good], weights, 1.0 - false_alarms))
    return replace(
        score, low=low, high=high, bound=bound, threshold=alarm,
        intervals=_intervals(residuals, estimates, cases),
    )  # fmt: skip


def _intervals(residuals: Array, estimates: Array, cases: Cases) -> dict[str, tuple[float, float]]:
    """Bounds of the residuals (N,) by what limits the steps.

    Estimates that say that no digit holds, or that nothing is wrong but rounding, have no interval
    to speak of and are left out.
    """
    told = np.isfinite(residuals) & (estimates > FLOOR + MARGIN) & (estimates < CEILING - MARGIN)
    found = {}
    for index, name in enumerate(LIMITS):
        for key, large in ((name, False), (name + LARGE, True)):
            own = told & (cases.limit == index) & ((estimates > LINEAR) == large)
            mechanism = cases.mechanism[own]
            if len(np.unique(mechanism)) >= FEWEST:
                found[key] = _interval(residuals[own], mechanism)
    return found


def _interval(residuals: Array, mechanism: Any) -> tuple[float, float]:
    """Bounds of the residuals (N,) that hold in 90 % of those of a mechanism that is left out.

    They are quantiles. At levels of 5 and 95 % they would hold in 90 % of the cases that are known,
    and in fewer of the others, for mechanisms differ.
    """
    names = np.unique(mechanism)
    groups = np.searchsorted(names, mechanism) % min(GROUPS, len(names))

    def bounds(chosen: Any, tail: float) -> tuple[float, float]:
        weights = balanced(mechanism[chosen])
        low, high = (quantile(residuals[chosen], weights, q) for q in (tail, 1.0 - tail))
        return low, high

    for tail in TAILS:
        inside = np.zeros(len(residuals), dtype=bool)
        for group in np.unique(groups):
            low, high = bounds(groups != group, tail)
            inside |= (groups == group) & (residuals >= low) & (residuals <= high)
        if np.sum(balanced(mechanism) * inside) >= SPREAD[1] - SPREAD[0]:
            break
    return bounds(np.full(len(residuals), True), tail)


def spread(residuals: Sequence[Array]) -> tuple[float, float]:
    """Bounds of the residuals of each mechanism (N_k,), for the share `COVERED` of mechanisms."""
    known = [own[np.isfinite(own)] for own in residuals]
    bounds = np.array([np.quantile(own, SPREAD) for own in known if len(own)]).reshape(-1, 2)
    if not len(bounds):
        return float("nan"), float("nan")
    low, high = bounds.T
    return float(np.quantile(low, 1.0 - COVERED)), float(np.quantile(high, COVERED))


def threshold(estimates: Array, bad: Any, mechanism: Any, bound: float) -> float:
    """The largest threshold that misses no more than `ALLOWED_MISSES` of the bad gradients.

    An alarm is one of `estimates` (N,) at or above it; what is not finite says nothing.
    """
    bad = bad & np.isfinite(estimates)
    if not bad.any():
        return float(np.log10(bound))
    return quantile(estimates[bad], balanced(mechanism[bad]), ALLOWED_MISSES)


def quantile(values: Array, weights: Array, level: float) -> float:
    """The smallest value with at least `level` of the weight at or below it; NaN left out."""
    known = np.isfinite(values)
    values, weights = values[known], weights[known]
    if not len(values):
        return float("nan")
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order]) / np.sum(weights)
    return float(values[order][min(int(np.searchsorted(share, level)), len(values) - 1)])


@dataclass(frozen=True, kw_only=True)
class Cases:
    """Gradients with known errors: what a score reads of them, columns of (N,), and the truth.

    Mechanisms are numbers (N,), which are sorted faster than names; `limit` (N,) is that of
    `gradaudit.analysis.calibration.stepping`.
    """

    indicators: dict[str, Array]
    true: Array
    mechanism: Any
    limit: Any

    @classmethod
    def of(cls, rows: pd.DataFrame, name: str) -> Cases:
        """From usable rows, for the score of that name."""
        columns = ("neglected", *FEATURES[name])
        return cls(
            indicators={column: rows[column].to_numpy(dtype=float) for column in columns},
            true=true_logarithm(rows),
            mechanism=pd.factorize(rows["mechanism"])[0],
            limit=limits(rows),
        )

    def __getitem__(self, chosen: Any) -> Cases:
        return Cases(
            indicators={key: values[chosen] for key, values in self.indicators.items()},
            true=self.true[chosen],
            mechanism=self.mechanism[chosen],
            limit=self.limit[chosen],
        )


def _line(cases: Cases, name: str) -> Score:
    """The line alone, by reweighted least squares; weights that would be negative are left out."""
    features = FEATURES[name]
    x = np.stack([logarithm(cases.indicators[feature]) for feature in features], axis=1)
    kept = np.all(np.isfinite(x), axis=1)
    intercept, weights = 0.0, [1.0 / len(features)] * len(features)
    if kept.sum() > len(features) + 1:
        intercept, weights = least_deviations(
            x[kept], cases.true[kept], balanced(cases.mechanism[kept])
        )
    return Score(
        name=name, features=features, intercept=intercept, weights=tuple(weights),
        low=0.0, high=0.0, bound=1e-2, threshold=-2.0,
    )  # fmt: skip


def least_deviations(x: Array, y: Array, weights: Array) -> tuple[float, list[float]]:
    """Intercept and slopes >= 0 that minimise the weighted sum of |y - a - x b|."""
    active = list(range(x.shape[1]))
    while True:
        design = np.column_stack([np.ones(len(x)), x[:, active]])
        w = weights
        solution = np.zeros(design.shape[1])
        for _ in range(ITERATIONS):
            root = np.sqrt(w)[:, None]
            solution, *_ = np.linalg.lstsq(design * root, y * root[:, 0], rcond=None)
            w = weights / np.maximum(np.abs(y - design @ solution), SOFT)
        negative = [index for index, value in zip(active, solution[1:], strict=True) if value < 0]
        if not negative:
            slopes = np.zeros(x.shape[1])
            slopes[active] = solution[1:]
            return float(solution[0]), slopes.tolist()
        active.remove(min(negative, key=lambda index: solution[1 + active.index(index)]))
