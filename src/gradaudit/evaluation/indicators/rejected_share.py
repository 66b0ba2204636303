"""Rejected steps."""

from __future__ import annotations

import math

from gradaudit.evaluation.indicator import Indicator, SolveSeen


def value(solve: SolveSeen) -> float:
    """Rejected steps over all; NaN where there are none."""
    steps = float(solve.cell.data["steps"])
    return float(solve.cell.data["rejected"]) / steps if steps > 0 else math.nan


INDICATOR = Indicator(
    name="rejected_share",
    label="rejected steps",
    rank=110,
    description="share of rejected steps",
    of_solve=value,
)
