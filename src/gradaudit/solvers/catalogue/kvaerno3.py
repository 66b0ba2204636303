"""Kværnø 3(2), ESDIRK."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """The class of diffrax."""
    import diffrax

    return Classes(diffrax.Kvaerno3)


SOLVER = Solver(
    name="kvaerno3",
    label="kvaerno3",
    rank=110,
    description="Kværnø 3(2), ESDIRK",
    order=3,
    stages=3,
    implicit=True,
    classes=classes,
)
