"""Sum of squared residuals against a trace that a solver made.

Two targets. *The same solve*: data from the solver, tolerance and grid that the gradient is made
with, taken for exact, so that the true gradient is 0. Where the states of the gradient are those of
the data the residual vanishes, and a gradient of 0 comes out right whatever the tangents are worth:
an inverse crime. Where they are not, as under full control, the residual is the error of the solver
times the sensitivities. *A coarser solve*: the trace at the loosest tolerance, fixed, so that the
gradient converges as the tolerance is tightened, and not to 0; its exact value is that of the
certified states with that target. The residual is then as small as an error of the solver, and the
gradient as ill-conditioned as a fit that has ended.
"""

from __future__ import annotations

from gradaudit.evaluation.functionals.base import Array, Context, Functional
from gradaudit.evaluation.functionals.trace_sse import sum_of_squares


def functionals(context: Context) -> list[Functional]:
    """None: without a solver's trace there is no target."""
    del context
    return []


def same_solve(context: Context, target: Array) -> Functional:
    """J = sum of (y - target)^2 with a target (T, n) that stands for the exact trace."""
    truth = context.observations.copy()
    truth[:, : target.shape[1]] = target
    return sum_of_squares(
        context, "same", target, context.deviation, kind="solver_target", truth=truth
    )


def coarser_solve(context: Context, target: Array) -> Functional:
    """J = sum of (y - target)^2 with a fixed target (T, n) of a looser tolerance."""
    return sum_of_squares(context, "coarse", target, context.deviation, kind="solver_target")
