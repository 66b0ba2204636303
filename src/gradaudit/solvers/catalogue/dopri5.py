"""Dormand and Prince 5(4), explicit."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """The class of diffrax, and one that compiles its stages written out."""
    import diffrax

    from gradaudit.solvers import unrolled_erk

    return Classes(diffrax.Dopri5, fast=unrolled_erk.Dopri5)


SOLVER = Solver(
    name="dopri5",
    label="dopri5",
    rank=90,
    description="Dormand and Prince 5(4), explicit",
    order=5,
    stages=6,
    classes=classes,
)
