"""Rodas5P, a Rosenbrock method of order 5(4)."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """Its class, which is a solver of diffrax."""
    from gradaudit.solvers.rodas5p import Rodas5P

    return Classes(Rodas5P)


SOLVER = Solver(
    name="rodas5p",
    label="rodas5p",
    rank=35,
    description="Rodas5P 5(4), Rosenbrock: stiff, without Newton's method",
    order=5,
    stages=8,
    implicit=True,
    stage_work=8.0,  # measured: 4 with ten states, 12 with three
    classes=classes,
)
