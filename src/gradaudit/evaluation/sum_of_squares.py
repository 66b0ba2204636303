"""The sum of squared residuals against one target, over all states and observation times."""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.functional import Array, Context, Functional


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
