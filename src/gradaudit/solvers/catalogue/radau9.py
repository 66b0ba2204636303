"""Radau IIA of order 9, implicit Runge-Kutta."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """Its class, which is a solver of diffrax."""
    from gradaudit.solvers.radau import Radau9

    return Classes(Radau9)


SOLVER = Solver(
    name="radau9",
    label="radau9",
    rank=37,
    description="Radau IIA of order 9, implicit",
    order=9,
    stages=5,
    implicit=True,
    stage_work=60.0,  # measured: a step takes 5 times one of Rodas5P
    classes=classes,
)
