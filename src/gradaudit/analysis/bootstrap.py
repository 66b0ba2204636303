"""The bootstrap over groups: rows of one model or mechanism are no independent evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

PERCENT = (2.5, 97.5)
"""Ends of the intervals."""


def resampled(groups: Array, *, draws: int, seed: int) -> Iterator[Array]:
    """Places of the rows of as many groups as there are, drawn with replacement.

    The draws are always the same for a seed. One group has nothing to draw from: none are made.

    Parameters
    ----------
    groups
        The group of each row (n,).
    """
    labels, index = np.unique(groups, return_inverse=True)
    places = [np.flatnonzero(index == number) for number in range(len(labels))]
    generator = np.random.default_rng(seed)
    for _ in range(draws if len(labels) > 1 else 0):
        chosen = generator.integers(len(labels), size=len(labels))
        yield np.concatenate([places[number] for number in chosen])


def interval(values: Array) -> tuple[float, float]:
    """The 95 % interval of what was drawn, of the finite values; NaN where there is none."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return math.nan, math.nan
    low, high = np.percentile(finite, PERCENT)
    return float(low), float(high)
