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

from gradaudit.evaluation.functional import Array, Context, Functional
from gradaudit.evaluation.functional_family import Family
from gradaudit.evaluation.sum_of_squares import sum_of_squares


def of_traces(context: Context, same: Array, loosest: Array) -> list[Functional]:
    """One for either target (T, n)."""
    return [same_solve(context, same), coarser_solve(context, loosest)]


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


def naming(functional: str) -> str:
    """One functional in words."""
    made = {"trace_sse_same": "the same solve", "trace_sse_coarse": "a coarse solve"}
    known = f"sum of squares, target of {made[functional]}" if functional in made else ""
    return known or functional.removeprefix("solver_target_")


FAMILY = Family(
    name="solver_target",
    label="sum of squares to the solver's own trace",
    rank=40,
    value="sum of squared residuals; the target is the solver's own trace at that tolerance, "
    "taken for exact, or that at its loosest tolerance",
    purpose="every model",
    group="traces",
    of_traces=of_traces,
    naming=naming,
    is_inverse_crime=True,
)
