"""Whether an observable oscillates, on the observation times."""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.functional import Array, Context

FEWEST = 2
"""Upward crossings from which on an observable is said to oscillate."""


def midrange(trace: Array) -> float:
    """The middle between the smallest and the largest value."""
    return 0.5 * float(np.min(trace) + np.max(trace))


def upward_crossings(trace: Array, level: float) -> int:
    """How often `trace` (T,) goes from below `level` to it or above."""
    above = trace >= level
    return int(np.sum(above[1:] & ~above[:-1]))


def oscillating(context: Context) -> list[tuple[str, int]]:
    """Name and column of the observables that cross their midrange upwards at least twice."""
    oscillators = []
    for name in context.observables:
        column = context.states.index(name)
        trace = context.observations[:, column]
        if upward_crossings(trace, midrange(trace)) >= FEWEST:
            oscillators.append((name, column))
    return oscillators
