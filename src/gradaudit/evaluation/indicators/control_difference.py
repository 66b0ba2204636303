"""Another gradient, with error control on the tangents."""

from __future__ import annotations

from typing import Any

from gradaudit.evaluation.gradient_difference import difference, seconds_of_both
from gradaudit.evaluation.indicator import Indicator, RowsSeen


def value(row: Any, seen: RowsSeen) -> float:
    """`difference` to the gradient with error control, or of such a one to forward AD."""
    return difference(row, seen.controlled)


def seconds(row: Any, seen: RowsSeen) -> float:
    """Of both gradients; NaN where there is only one."""
    return seconds_of_both(row, seen.controlled)


INDICATOR = Indicator(
    name="control_difference",
    label="against full control",
    rank=40,
    description="another gradient, with error control on the tangents",
    cost="control_seconds",
    of_rows=value,
    seconds=seconds,
)
