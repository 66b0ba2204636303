"""How the tangents grow."""

from __future__ import annotations

import math

import numpy as np

from gradaudit.evaluation.indicator import Array, Indicator, SolveSeen


def value(solve: SolveSeen) -> float:
    """`growth` of the sensitivities in units of the states."""
    s = solve.cell.observations.sensitivities / solve.scale[:, None]
    return growth(solve.cell.data["time"].values, s)


def growth(times: Array, s: Array) -> float:
    """ln |S| at the end less ln |S| in the middle: largest of the tenth of the window there."""
    if not np.all(np.isfinite(s)) or len(times) < 5:
        return math.nan
    size, window = np.max(np.abs(s), axis=(1, 2)), times[-1] - times[0]
    early = size[np.abs(times - times[0] - 0.5 * window) <= 0.05 * window + 1e-12 * window]
    late = size[times >= times[-1] - 0.1 * window]
    if not len(early) or np.max(early) <= 0 or np.max(late) <= 0:
        return math.nan
    return float(np.log(np.max(late) / np.max(early)))


INDICATOR = Indicator(
    name="growth",
    label="growth of the tangents",
    rank=70,
    description="e-foldings of |S| over the second half of the window",
    of_solve=value,
)
