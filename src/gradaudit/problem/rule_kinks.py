"""Kinks and jumps of rules of the model at a measurement, by what their derivatives do beside it.

A rule is a program that JAX evaluates, of which the switches are not known as terms. So it is
evaluated a few roundings and error bounds around the point: a smooth rule has the same derivatives
there, and one with a switch has not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[Any, Any], Any]

AWAY = 64 * np.finfo(np.float64).eps
"""Of an input: how far beside the point at least."""
LEAST = 1e-150
SAME = 1e-6
"""Of a derivative: what is more is no rounding."""
PAIRS = 3
SEED = 20240301


def doubtful(functions: tuple[Function, Function], z: Array, t: Array, moves: Any) -> Any:
    """Whether rules, A of them, have a switch next to T points, (T, A).

    Parameters
    ----------
    functions
        The rules (K, A) and their slopes (K, A, Z), at K points, of inputs (K, Z) and times (K,).
    z, t
        The points, (T, Z) and (T,).
    moves
        Derivatives of the inputs by parameters, (T, Z, m), and bounds of their errors, (T, Z), as a
        pair; an input that no parameter changes stays.
    """
    direction, wrong = (np.asarray(part, np.float64) for part in moves)
    moving = np.any(direction != 0.0, axis=2)
    if not moving.any():
        return np.zeros(np.asarray(functions[0](z, t)).shape, bool)
    reach = np.where(moving, np.maximum(2.0 * wrong + AWAY * np.abs(z), LEAST), 0.0)
    random = np.random.default_rng(SEED)
    signs = random.choice([-1.0, 1.0], (PAIRS, 1, z.shape[1]))
    steps = signs * random.uniform(0.5, 1.0, signs.shape) * reach
    points = z + np.concatenate([steps, -steps])
    flat, times = points.reshape(-1, z.shape[1]), np.tile(t, len(points))
    value, slope = (
        np.asarray(f(flat, times)).reshape(len(points), len(z), *rest)
        for f, rest in zip(functions, ((-1,), (-1, z.shape[1])), strict=True)
    )
    turned = np.einsum("staz,tzj->staj", slope, direction)
    size = np.einsum("staz,tzj->staj", np.abs(slope), np.abs(direction)).max(axis=0)
    with np.errstate(invalid="ignore"):
        kinked = np.any(np.ptp(turned, axis=0) > SAME * size, axis=2)
        smooth = np.einsum("staz,tz->sta", np.abs(slope), reach).max(axis=0)
        jumps = np.ptp(value, axis=0) > 8.0 * smooth + AWAY * np.abs(value).max(axis=0)
    found: Any = kinked | jumps
    return found
