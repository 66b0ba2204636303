"""The distance to a solve with steps of half the length."""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.gradient_error import norm, ratio
from gradaudit.evaluation.indicator import Array, Indicator


def value(change: Array, gradient: Array) -> float:
    """|change| over the gradient of the second solve; infinite where that is 0 and the change not.

    The second solve is closer to the truth, and with jumps, whose saltation term it adds, the
    first one may be wrong by any multiple of that.
    """
    size = norm(change)
    return ratio(size, norm(gradient + change)) if np.isfinite(size) else size


INDICATOR = Indicator(
    name="estimated_error",
    label="half steps",
    rank=20,
    description="the distance to a solve that takes two steps for each one",
    cost="estimate_seconds",
    of_estimate=value,
)
