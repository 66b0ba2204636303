"""Kværnø 5(4), ESDIRK."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """The class of diffrax."""
    import diffrax

    return Classes(diffrax.Kvaerno5)


SOLVER = Solver(
    name="kvaerno5",
    label="kvaerno5",
    rank=30,
    description="Kværnø 5(4), ESDIRK",
    order=5,
    stages=6,
    implicit=True,
    audited_to=1e-6,  # steps grow by 1.6 per decade
    classes=classes,
)
