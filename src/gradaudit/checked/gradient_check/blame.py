"""Which entries of a gradient are wrong."""

from __future__ import annotations

from typing import Any

import jax.tree_util as jtu
import numpy as np
from numpy.typing import NDArray

from gradaudit.checked.gradient_check.differences import by_differences
from gradaudit.checked.gradient_check.directions import Directions
from gradaudit.checked.gradient_check.entries import SHARE
from gradaudit.checked.gradient_check.programs import Function
from gradaudit.checked.gradient_check.result import Blamed
from gradaudit.checked.gradient_check.tangents import level
from gradaudit.checked.gradient_check.truth import Truth

Array = NDArray[np.float64]

PARTS = 8
"""Directions in one round of the search, and entries that are reported."""

SEARCHED = 1e-3
"""Relative error bar of the derivatives that a search computes by itself."""


def blamed(
    function: Function,
    p: Any,
    gradient: Array,
    where: Directions,
    truth: Truth,
    seed: int,
) -> tuple[Blamed, ...]:
    """The wrong entries, worst first: all of them, or those that a search finds.

    With random directions the parameters are divided into parts, of which the one with the largest
    disagreement is divided again; its last entries are reported, and there may be others.
    """
    names = _names(p)
    if not np.all(np.isfinite(gradient)):
        return _not_finite(function, p, gradient, names, where, truth)
    if where.complete:
        return _worst(np.arange(len(gradient)), gradient, names, where.sizes, truth)
    left, random = np.arange(len(gradient)), np.random.default_rng([seed, 1])
    while True:
        parts = np.array_split(left, min(PARTS, len(left)))
        vectors = np.zeros((PARTS, len(gradient)))
        for k, part in enumerate(parts):
            signs = random.standard_normal(len(part)) if len(part) > 1 else 1.0
            vectors[k, part] = signs * where.sizes[part]
        slopes = _slopes(function, p, vectors, truth)
        if len(left) <= PARTS:
            entries = Truth(slopes[: len(left)], np.abs(slopes[: len(left)]) * SEARCHED, 0.0, "")
            return _worst(left, gradient, names, where.sizes, entries)
        left = parts[int(np.argmax(np.abs(vectors @ gradient - slopes)[: len(parts)]))]


def _not_finite(
    function: Function, p: Any, gradient: Array, names: list[str], where: Directions, truth: Truth
) -> tuple[Blamed, ...]:
    """The first entries that are no numbers, with what they should be."""
    bad = np.flatnonzero(~np.isfinite(gradient))[:PARTS]
    if where.complete:
        slopes, bars = truth.slopes[bad], truth.bars[bad]
    else:
        vectors = np.zeros((PARTS, len(gradient)))
        vectors[np.arange(len(bad)), bad] = where.sizes[bad]
        slopes = _slopes(function, p, vectors, truth)[: len(bad)]
        bars = np.abs(slopes) * SEARCHED
    numbers = zip(bad, slopes / where.sizes[bad], bars / where.sizes[bad], strict=True)
    return tuple(
        Blamed(names[j], float(gradient[j]), float(slope), float(bar)) for j, slope, bar in numbers
    )


def _names(p: Any) -> list[str]:
    """Paths of the entries in the pytree."""
    names = []
    for path, leaf in jtu.tree_flatten_with_path(p)[0]:
        indices = np.ndindex(leaf.shape)
        names += [f"p{jtu.keystr(path)}" + (str([*i]).replace(" ", "") * bool(i)) for i in indices]
    return names


def _slopes(function: Function, p: Any, vectors: Array, truth: Truth) -> Array:
    if truth.solve is None:
        return by_differences(function, p, vectors, stiff=False).slopes
    return level(function, p, vectors, truth.solve).slopes


def _worst(
    which: NDArray[np.int64], gradient: Array, names: list[str], sizes: Array, truth: Truth
) -> tuple[Blamed, ...]:
    """Of entries whose derivatives along ``sizes[j]`` are given, those that are wrong."""
    own = sizes[which]
    wrong = np.abs(gradient[which] * own - truth.slopes)
    least = np.maximum(truth.bars, SHARE * np.max(wrong))
    order = [i for i in np.argsort(-wrong) if wrong[i] > least[i]]
    return tuple(
        Blamed(
            names[which[i]],
            float(gradient[which[i]]),
            float(truth.slopes[i] / own[i]),
            float(truth.bars[i] / own[i]),
        )
        for i in order[:PARTS]
    )
