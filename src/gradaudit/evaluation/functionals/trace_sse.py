"""Sum of squared residuals of the whole trace against a target.

The sum runs over all states and observation times without weights, as in the published experiment
with the bursting neuron. Two targets: the exact trace, at which the gradient is zero and only
errors are left of it, and the exact trace with noise, as in a fit to data.
"""

from __future__ import annotations

from gradaudit.evaluation.functional import Context, Functional
from gradaudit.evaluation.functional_family import Family
from gradaudit.evaluation.sum_of_squares import sum_of_squares


def functionals(context: Context) -> list[Functional]:
    """J = sum over t and states of (y - target)^2, for the exact and the noisy target."""
    return [
        sum_of_squares(context, "exact", context.exact, context.deviation),
        sum_of_squares(context, "noisy", context.data, context.deviation),
    ]


FAMILY = Family(
    name="trace_sse",
    label="sum of squares",
    rank=20,
    value="sum of squared residuals over all states and times; the target is the exact trace, "
    "or that with noise",
    purpose="every model",
    group="traces",
    functionals=functionals,
    naming=lambda name: f"sum of squares, {name.removeprefix('trace_sse_')} target",
    ranked_label="sum of squares, noisy target",
    is_main=True,
)
