"""A smooth count of oscillations: the upward variation of a squashed trace.

With s = 1 / (1 + exp(-(x - L) / w)), which is about 0 below the level L and about 1 above it,

    J = sum over i of u(s_(i+1) - s_i),    u(d) = (d + sqrt(d^2 + e^2) - e) / 2

u is a smooth positive part, so that each passage from below to above adds about 1, however many
observations fall into it. The level is the midrange of the certified observable, w a tenth of its
range. In a number of passages the terms of the gradient cancel but for what the extremes, and a
passage that the window cuts, contribute.
"""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.functional import Array, Context, Functional
from gradaudit.evaluation.functional_family import Family
from gradaudit.evaluation.oscillation import midrange, oscillating

WIDTH = 0.1  # of the range
SMOOTHING = 1e-3  # e: of a passage, which has the height 1


def functionals(context: Context) -> list[Functional]:
    """The smooth count for every observable that oscillates."""
    return [_count(context, name, column) for name, column in oscillating(context)]


def _count(context: Context, observable: str, column: int) -> Functional:
    from scipy.special import expit

    certified = context.observations[:, column]
    level, width = midrange(certified), WIDTH * float(np.ptp(certified))

    def squashed(z: Array) -> Array:
        s: Array = expit((z[:, column] - level) / width)
        return s

    def value(z: Array) -> float:
        rises = np.diff(squashed(z))
        return 0.5 * float(np.sum(rises + np.hypot(rises, SMOOTHING) - SMOOTHING))

    def weights(z: Array) -> Array:
        s = squashed(z)
        rises = np.diff(s)
        slope = 0.5 * (1.0 + rises / np.hypot(rises, SMOOTHING))
        by_s = np.zeros_like(s)
        by_s[1:] += slope
        by_s[:-1] -= slope
        phi = np.zeros_like(z)
        phi[:, column] = by_s * s * (1.0 - s) / width
        return phi

    return Functional(
        name=f"soft_count_{observable}",
        kind="soft_count",
        value=value,
        weights=weights,
        natural_weights=np.abs(weights(context.observations)),
    )


FAMILY = Family(
    name="soft_count",
    label="smooth number of spikes",
    rank=90,
    value="smooth number of upward passages through the midrange",
    purpose="observables that oscillate",
    group="phase-invariant",
    functionals=functionals,
    naming=lambda name: f"smooth number of spikes of {name.removeprefix('soft_count_')}",
)
