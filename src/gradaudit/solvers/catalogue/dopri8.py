"""Dormand and Prince 8(7), explicit."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """The class of diffrax, and one that compiles its stages written out."""
    import diffrax

    from gradaudit.solvers import unrolled_erk

    return Classes(diffrax.Dopri8, fast=unrolled_erk.Dopri8)


SOLVER = Solver(
    name="dopri8",
    label="dopri8",
    rank=20,
    description="Dormand and Prince 8(7), explicit",
    order=8,
    stages=12,
    audited_to=0.0,
    classes=classes,
)
