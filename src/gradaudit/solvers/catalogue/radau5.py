"""Radau IIA of order 5, implicit Runge-Kutta."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """Its class, which is a solver of diffrax."""
    from gradaudit.solvers.radau import Radau5

    return Classes(Radau5)


SOLVER = Solver(
    name="radau5",
    label="radau5",
    rank=36,
    description="Radau IIA of order 5, implicit",
    order=5,
    stages=3,
    implicit=True,
    stage_work=50.0,  # measured: a step takes 2 to 3 times one of Rodas5P
    classes=classes,
)
