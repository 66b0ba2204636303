"""Bogacki and Shampine 3(2), explicit."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """The class of diffrax, and one that compiles its stages written out."""
    import diffrax

    from gradaudit.solvers import unrolled_erk

    return Classes(diffrax.Bosh3, fast=unrolled_erk.Bosh3)


SOLVER = Solver(
    name="bosh3",
    label="bosh3",
    rank=80,
    description="Bogacki and Shampine 3(2), explicit",
    order=3,
    stages=3,
    classes=classes,
)
