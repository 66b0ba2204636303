"""Euler, explicit, equal steps only."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """The class of diffrax."""
    import diffrax

    return Classes(diffrax.Euler)


SOLVER = Solver(
    name="euler",
    label="euler",
    rank=40,
    description="Euler, explicit, equal steps only",
    order=1,
    stages=1,
    adaptive=False,
    classes=classes,
)
