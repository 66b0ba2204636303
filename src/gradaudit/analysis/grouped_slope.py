"""Slopes with intervals, fitted inside groups that each have a constant of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradaudit.analysis.bootstrap import interval as bounds_of
from gradaudit.analysis.bootstrap import resampled

DRAWS = 1000
SEED = 20


@dataclass(frozen=True, kw_only=True)
class Slope:
    """A slope with a 95 % interval, and what it was drawn from."""

    value: float
    low: float
    high: float
    intercept: float
    interval: str


def slope(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> Slope:
    """The common slope of y on x, each group with its own intercept.

    The interval is that of a bootstrap over groups, since errors inside a tolerance series are not
    independent; of fewer than five groups it is a bootstrap over points, which is narrower than
    it should be where they depend on each other.

    Parameters
    ----------
    x, y
        Values (n,), finite.
    groups
        A label a point (n,).

    Returns
    -------
    Slope
        All NaN where no group has two abscissae.
    """
    labels, index = np.unique(groups, return_inverse=True)
    counts = np.bincount(index)
    dx = x - (np.bincount(index, x) / counts)[index]
    dy = y - (np.bincount(index, y) / counts)[index]
    if not np.any(np.abs(dx) > 1e-9):
        return Slope(value=np.nan, low=np.nan, high=np.nan, intercept=np.nan, interval="none")
    value = float(np.sum(dx * dy) / np.sum(dx * dx))
    random = np.random.default_rng(SEED)
    xy: np.ndarray
    xx: np.ndarray
    if len(labels) >= 5:
        xy, xx = np.bincount(index, dx * dy), np.bincount(index, dx * dx)
        chosen = random.integers(0, len(labels), (DRAWS, len(labels)))
        interval = f"bootstrap over {len(labels)} tolerance series"
    else:
        xy, xx = dx * dy, dx * dx
        chosen = random.integers(0, len(x), (DRAWS, len(x)))
        interval = f"bootstrap over {len(x)} points"
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = np.sum(xy[chosen], axis=1) / np.sum(xx[chosen], axis=1)
    low, high = bounds_of(drawn)
    intercept = float(np.median(y - value * x))
    return Slope(value=value, low=low, high=high, intercept=intercept, interval=interval)


def median_interval(values: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    """Median of `values`, with a 95 % interval by a bootstrap over groups; one group gives none."""
    if not len(values):
        return np.nan, np.nan, np.nan
    middle = float(np.median(values))
    drawn = [
        float(np.median(values[places]))
        for places in resampled(groups, draws=DRAWS // 2, seed=SEED)
    ]
    return middle, *bounds_of(np.array(drawn))
