"""The backsolve adjoint: the adjoint equation and the state backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """Differentiate, then discretise, backwards.

    "has_jumps" where the state jumps, "unsuitable_solver" where it is no Runge-Kutta method.
    """
    import diffrax

    from gradaudit.sensitivity.adjoint import backsolve_adjoint
    from gradaudit.sensitivity.assemble import failed, smooth
    from gradaudit.solvers.registry import get_solver

    # The adjoint equation is a term of diffrax's own, of which a Rosenbrock method has no Jacobian.
    cls = get_solver(request.options.solver).cls
    if not (issubclass(cls, diffrax.AbstractRungeKutta) or request.model.jumps):
        return failed(request, "unsuitable_solver")
    return smooth(request, backsolve_adjoint)


METHOD = Method(
    name="backsolve_adjoint",
    label="backsolve adjoint",
    rank=100,
    description="reverse mode: the adjoint equation, solved backwards",
    without=("fd_step", "steps"),
    solves=(4.0, 0.0),  # forwards; backwards state, adjoint and parameters
    solve=solve,
)
