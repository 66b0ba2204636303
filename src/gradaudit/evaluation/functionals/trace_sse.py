"""Sum of squared residuals of the whole trace against a target.

The sum runs over all states and observation times without weights, as in the published experiment
with the bursting neuron. Two targets: the exact trace, at which the gradient is zero and only
errors are left of it, and the exact trace with noise, as in a fit to data.
"""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.functionals.base import Array, Context, Functional


def functionals(context: Context) -> list[Functional]:
    """J = sum over t and states of (y - target)^2, for the exact and the noisy target."""
    return [
        sum_of_squares(context, "exact", context.exact, context.deviation),
        sum_of_squares(context, "noisy", context.data, context.deviation),
    ]


def sum_of_squares(
    context: Context,
    name: str,
    target: Array,
    deviation: Array,
    *,
    kind: str = "trace_sse",
    truth: Array | None = None,
) -> Functional:
    """The functional for one target (T, n); `deviation` (n,) is the natural size of a residual."""
    n = len(context.states)

    def value(z: Array) -> float:
        return float(np.sum((z[:, :n] - target) ** 2))

    def weights(z: Array) -> Array:
        phi = np.zeros_like(z)
        phi[:, :n] = 2.0 * (z[:, :n] - target)
        return phi

    natural = np.zeros_like(context.observations)
    natural[:, :n] = 2.0 * deviation
    return Functional(
        name=f"trace_sse_{name}",
        kind=kind,
        value=value,
        weights=weights,
        natural_weights=natural,
        truth=truth,
    )
