"""Implicit Euler."""

from __future__ import annotations

from gradaudit.solvers.solver import Classes, Solver


def classes() -> Classes:
    """The class of diffrax."""
    import diffrax

    return Classes(diffrax.ImplicitEuler)


SOLVER = Solver(
    name="implicit_euler",
    label="implicit_euler",
    rank=100,
    description="implicit Euler",
    order=1,
    stages=1,
    implicit=True,
    classes=classes,
)
