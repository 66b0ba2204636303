"""CVODES of casadi, with the tangents in the error test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """By another tool; "has_jumps" where the state jumps."""
    from gradaudit.sensitivity.external.dispatch import refusal

    refused = refusal(request, "cvodes")
    if refused is not None:
        return refused
    from gradaudit.sensitivity.external.cvodes import cvodes

    return cvodes(request, controlled=True)


METHOD = Method(
    name="cvodes",
    label="CVODES",
    rank=110,
    description="CVODES of casadi (BDF), with the tangents in the error test",
    packages=("casadi",),
    without=("fd_step", "steps", "pid", "dtmax", "root_tolerance", "dtype"),
    own_solver=True,
    stages=5,  # iterations of Newton's method, and its matrix now and then
    controls_tangents=True,
    solve=solve,
)
