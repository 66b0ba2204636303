"""The largest observed value: a maximum over the observation times.

Not smooth: where the place of the maximum moves from one observation time to the next its
derivative jumps. The derivative here is that of the observation that is the largest.
"""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.functional import Array, Context, Functional
from gradaudit.evaluation.functional_family import Family


def functionals(context: Context) -> list[Functional]:
    """J = max over t of y_o(t), for every observable that has its maximum within the window.

    At an end of the window the maximum is the value there, and no functional of its own.
    """
    last = len(context.times) - 1
    columns = [context.states.index(name) for name in context.observables]
    return [
        _maximum(context, name, column)
        for name, column in zip(context.observables, columns, strict=True)
        if 0 < int(np.argmax(context.observations[:, column])) < last
    ]


def _maximum(context: Context, observable: str, column: int) -> Functional:
    def weights(z: Array) -> Array:
        phi = np.zeros_like(z)
        if np.all(np.isfinite(z[:, column])):
            phi[np.argmax(z[:, column]), column] = 1.0
        else:
            phi[:, column] = np.nan
        return phi

    return Functional(
        name=f"maximum_{observable}",
        kind="maximum",
        value=lambda z: float(np.max(z[:, column])),
        weights=weights,
        natural_weights=weights(context.observations),
    )


FAMILY = Family(
    name="maximum",
    label="largest value on the grid",
    rank=70,
    value="largest observed value, not smooth",
    purpose="observables with a maximum inside the window",
    group="phase-invariant",
    functionals=functionals,
    naming=lambda name: f"maximum of {name.removeprefix('maximum_')}",
)
