"""Ralston 2(1), explicit."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """The class of diffrax, and one that compiles its stages written out."""
    import diffrax

    from gradaudit.solvers import unrolled_erk

    return Classes(diffrax.Ralston, fast=unrolled_erk.Ralston)


SOLVER = Solver(
    name="ralston",
    label="ralston",
    rank=70,
    description="Ralston 2(1), explicit",
    order=2,
    stages=2,
    classes=classes,
)
