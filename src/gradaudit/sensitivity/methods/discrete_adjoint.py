"""The discrete adjoint: forward AD transposed, by reverse mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """The numbers of forward AD, to rounding; "has_jumps" where the state jumps."""
    from gradaudit.sensitivity.adjoint import discrete_adjoint
    from gradaudit.sensitivity.assemble import smooth

    return smooth(request, discrete_adjoint)


METHOD = Method(
    name="discrete_adjoint",
    label="discrete adjoint",
    rank=90,
    description="reverse mode: the derivative of the solver's steps, transposed",
    solves=(4.0, 0.0),  # forwards, once more from the checkpoints, and backwards
    solve=solve,
)
