"""Log-likelihood of noisy data, the deviation of the noise being known."""

from __future__ import annotations

import math

import numpy as np

from gradaudit.evaluation.functional import Array, Context, Functional
from gradaudit.evaluation.functional_family import Family


def functionals(context: Context) -> list[Functional]:
    """J = -1/2 sum ((y - data) / sigma)^2 - sum log(sigma sqrt(2 pi)).

    The sum runs over observation times and all states that move; the data are those of
    ``trace_sse_noisy``, sigma is a fraction of each state's range. So every state counts alike,
    whatever its unit. Without noise there is no likelihood.
    """
    sigma = context.deviation
    moving = np.flatnonzero(sigma > 0.0)
    if not len(moving):
        return []
    data, sigma = context.data[:, moving], sigma[moving]
    constant = -len(data) * float(np.sum(np.log(sigma * math.sqrt(2.0 * math.pi))))

    def value(z: Array) -> float:
        return constant - 0.5 * float(np.sum(((z[:, moving] - data) / sigma) ** 2))

    def weights(z: Array) -> Array:
        phi = np.zeros_like(z)
        phi[:, moving] = (data - z[:, moving]) / sigma**2
        return phi

    natural = np.zeros_like(context.observations)
    natural[:, moving] = 1.0 / sigma
    return [
        Functional(
            name="log_likelihood",
            kind="log_likelihood",
            value=value,
            weights=weights,
            natural_weights=natural,
        )
    ]


FAMILY = Family(
    name="log_likelihood",
    label="log-likelihood",
    rank=50,
    value="Gaussian, of the noisy data, deviation known",
    purpose="every model",
    group="traces",
    functionals=functionals,
    naming=lambda _: "log-likelihood",
)
