"""How the times of events and branches depend on the parameters."""

from __future__ import annotations

from gradaudit.evaluation.indicator import Indicator, SolveSeen


def value(solve: SolveSeen) -> float:
    """As the solve was stored with it; NaN where it was not."""
    return solve.stored("crossing_slope")


INDICATOR = Indicator(
    name="crossing_slope",
    label="slope of event times",
    rank=100,
    description="derivative of the times of events and branches, over the window",
    of_solve=value,
)
