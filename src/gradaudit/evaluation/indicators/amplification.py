"""The change of the states with the tolerance, amplified."""

from __future__ import annotations

import math
from typing import Any

from gradaudit.evaluation.indicator import Indicator, RowsSeen


def value(row: Any, seen: RowsSeen) -> float:
    """The change of the states, times |phi| |S| over |g|; NaN where the gradient is 0."""
    del seen  # the change of the states is in the row
    size = row.gradient_norm
    return float(row.state_difference * row.computed_scale / size) if size > 0 else math.nan


INDICATOR = Indicator(
    name="amplification",
    label="change of the states, amplified",
    rank=60,
    description="change of the states with the tolerance, times |phi| |S| over |g|",
    cost="tolerance_seconds",
    of_rows=value,
)
