"""The distance to a solve with steps of half the length, in one direction of the parameters."""

from __future__ import annotations

from gradaudit.evaluation.gradient_error import along, norm, ratio
from gradaudit.evaluation.indicator import Array, Indicator


def value(change: Array, gradient: Array) -> float:
    """The estimated error as it is seen along one direction in the space of the parameters.

    With signs w_j = +1 or -1, |D w| is |D| in the root mean square over all w, and costs the
    estimate of one parameter in place of m. The direction is the same for all models of that m.
    """
    return ratio(along(change), norm(gradient))


INDICATOR = Indicator(
    name="probed_error",
    label="half steps, one direction",
    rank=30,
    description="the same distance, in one random direction of the parameters",
    cost="probe_seconds",
    of_estimate=value,
)
