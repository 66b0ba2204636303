"""The gradient at a looser tolerance."""

from __future__ import annotations

from typing import Any

from gradaudit.evaluation.gradient_difference import difference, seconds_of_both
from gradaudit.evaluation.indicator import Indicator, RowsSeen


def value(row: Any, seen: RowsSeen) -> float:
    """`difference` to the gradient at a looser tolerance."""
    return difference(row, seen.looser)


def seconds(row: Any, seen: RowsSeen) -> float:
    """Of both gradients; NaN where there is only one."""
    return seconds_of_both(row, seen.looser)


INDICATOR = Indicator(
    name="tolerance_difference",
    label="against a looser tolerance",
    rank=50,
    description="the gradient at a looser tolerance",
    cost="tolerance_seconds",
    of_rows=value,
    seconds=seconds,
)
