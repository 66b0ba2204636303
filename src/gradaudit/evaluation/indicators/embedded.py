"""The embedded error of the tangents."""

from __future__ import annotations

from gradaudit.evaluation.indicator import Indicator, SolveSeen


def value(solve: SolveSeen) -> float:
    """The largest one in a step, in units of |S|: that over the tolerance, times the tolerance."""
    return float(solve.cell.data["indicator"]) * solve.cell.rtol


INDICATOR = Indicator(
    name="embedded",
    label="embedded error of the tangents",
    rank=10,
    description="the largest embedded error of the tangents in a step, in units of |S|",
    of_solve=value,
)
