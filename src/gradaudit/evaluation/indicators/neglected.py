"""The saltation term that steps over a discontinuity leave out."""

from __future__ import annotations

from gradaudit.evaluation.indicator import Indicator, SolveSeen


def value(solve: SolveSeen) -> float:
    """As the solve was stored with it; NaN where it was not."""
    return solve.stored("neglected")


INDICATOR = Indicator(
    name="neglected",
    label="neglected saltation",
    rank=90,
    description="share of the saltation term that steps over a discontinuity leave out",
    of_solve=value,
)
