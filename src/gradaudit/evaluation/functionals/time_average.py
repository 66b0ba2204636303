"""Time averages, from integrals that were computed with the states."""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.functional import Context, Functional
from gradaudit.evaluation.functional_family import Family


def functionals(context: Context) -> list[Functional]:
    """J = (1/T) times the integral of g from 0 to T, for every integrand g of the model."""
    return [_average(context, name) for name in context.integrals]


def _average(context: Context, integral: str) -> Functional:
    column = len(context.states) + context.integrals.index(integral)
    weights = np.zeros_like(context.observations)
    weights[-1, column] = 1.0 / context.times[-1]
    return Functional(
        name=f"time_average_{integral}",
        kind="time_average",
        value=lambda z: float(z[-1, column] / context.times[-1]),
        weights=lambda z: weights,
        natural_weights=weights,
    )


FAMILY = Family(
    name="time_average",
    label="time average",
    rank=30,
    value="integral over the window, over its length",
    purpose="every integrand",
    group="averages",
    functionals=functionals,
    naming=lambda name: f"time average of {name.removeprefix('time_average_')}",
    is_main=True,
)
