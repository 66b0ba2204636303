"""The distance to a solve with steps of half the length."""

from __future__ import annotations

from gradaudit.evaluation.gradient_error import norm, ratio
from gradaudit.evaluation.indicator import Array, Indicator


def value(change: Array, gradient: Array) -> float:
    """|change| / |gradient|; infinite where the gradient is 0 and the change is not."""
    return ratio(norm(change), norm(gradient))


INDICATOR = Indicator(
    name="estimated_error",
    label="half steps",
    rank=20,
    description="the distance to a solve that takes two steps for each one",
    cost="estimate_seconds",
    of_estimate=value,
)
