"""Kværnø 4(3), ESDIRK."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """The class of diffrax."""
    import diffrax

    return Classes(diffrax.Kvaerno4)


SOLVER = Solver(
    name="kvaerno4",
    label="kvaerno4",
    rank=120,
    description="Kværnø 4(3), ESDIRK",
    order=4,
    stages=4,
    implicit=True,
    classes=classes,
)
