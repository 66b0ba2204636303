"""How far apart two gradients of one table are, and what both cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def difference(row: Any, other: Any) -> float:
    """|g - g'| / |g'|; infinite where the other gradient could not be computed."""
    if other is None or row.status != "ok":
        return math.nan
    mine, theirs = np.asarray(row.gradient), np.asarray(other.gradient)
    if other.status != "ok" or not np.all(np.isfinite(theirs)):
        return math.inf
    size, change = float(np.linalg.norm(theirs)), float(np.linalg.norm(mine - theirs))
    return change / size if size > 0 else (0.0 if change == 0 else math.inf)


def seconds_of_both(row: Any, other: Any) -> float:
    """The time of two gradients; NaN where there is only one."""
    return float(row.seconds + getattr(other, "seconds", math.nan))
