"""The solver diffsol, with the states alone in the error test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """By another tool; "has_jumps" where the state jumps."""
    from gradaudit.sensitivity.external.dispatch import refusal

    refused = refusal(request, "diffsol_partial")
    if refused is not None:
        return refused
    from gradaudit.sensitivity.external.diffsol import diffsol

    return diffsol(request, controlled=False)


METHOD = Method(
    name="diffsol_partial",
    label="diffsol, partial control",
    rank=140,
    description="the solver diffsol (Rust, BDF), without the tangents in the error test",
    packages=("casadi", "pydiffsol"),
    without=("fd_step", "steps", "pid", "dtmax", "root_tolerance", "dtype"),
    own_solver=True,
    stages=5,  # iterations of Newton's method, and its matrix now and then
    solve=solve,
)
