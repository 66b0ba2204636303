"""Tsitouras 5(4), explicit."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """The class of diffrax, and one that compiles its stages written out."""
    import diffrax

    from gradaudit.solvers import unrolled_erk

    return Classes(diffrax.Tsit5, fast=unrolled_erk.Tsit5)


SOLVER = Solver(
    name="tsit5",
    label="tsit5",
    rank=10,
    description="Tsitouras 5(4), explicit",
    order=5,
    stages=6,
    audited_to=0.0,
    classes=classes,
)
