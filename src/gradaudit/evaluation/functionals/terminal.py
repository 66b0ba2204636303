"""The value of a state at the end of the window."""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.functional import Context, Functional
from gradaudit.evaluation.functional_family import Family


def functionals(context: Context) -> list[Functional]:
    """J = y_o(t_end), for every observable o."""
    return [_terminal(context, name) for name in context.observables]


def _terminal(context: Context, observable: str) -> Functional:
    column = context.states.index(observable)
    weights = np.zeros_like(context.observations)
    weights[-1, column] = 1.0
    return Functional(
        name=f"terminal_{observable}",
        kind="terminal",
        value=lambda z: float(z[-1, column]),
        weights=lambda z: weights,
        natural_weights=weights,
    )


FAMILY = Family(
    name="terminal",
    label="value at the end",
    rank=10,
    value="y at the end of the window",
    purpose="every observable",
    group="values at a time",
    functionals=functionals,
    naming=lambda name: f"{name.removeprefix('terminal_')} at the end",
    is_main=True,
)
