"""How many fast times fit into the window."""

from __future__ import annotations

from gradaudit.evaluation.indicator import Indicator, SolveSeen


def value(solve: SolveSeen) -> float:
    """As the solve was stored with it; NaN where it was not."""
    return solve.stored("stiffness")


INDICATOR = Indicator(
    name="stiffness",
    label="stiffness",
    rank=80,
    description="fast times in the window",
    of_solve=value,
)
