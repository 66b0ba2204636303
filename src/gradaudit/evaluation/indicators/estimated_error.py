"""Embedded errors, carried along to the end."""

from __future__ import annotations

from gradaudit.evaluation.gradient_error import norm, ratio
from gradaudit.evaluation.indicator import Array, Indicator


def value(change: Array, gradient: Array) -> float:
    """|change| / |gradient|; infinite where the gradient is 0 and the change is not."""
    return ratio(norm(change), norm(gradient))


INDICATOR = Indicator(
    name="estimated_error",
    label="propagated embedded error",
    rank=20,
    description="embedded errors carried along to the end",
    cost="estimate_seconds",
    of_estimate=value,
)
