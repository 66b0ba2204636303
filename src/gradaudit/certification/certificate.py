"""How many digits hold: disagreement between solves, made cautious, turned into digits.

Two solves may agree by luck where their difference happens to cross zero, and rounding errors of
one precision are correlated. So a disagreement is the largest one at an observation time and at
two companion times, two steps before and after, where an accidental zero would have passed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.heyoka.precision import Precision, to_float64
from gradaudit.certification.variational import Solution

Array = NDArray[np.float64]

MOST_DIGITS = 15.6
"""What a float64 array can hold."""

SMALLEST = 1e-290  # float64 loses digits below it

NOUGHT = 1e-25
"""Of the natural scale |y_i| / |p_j|: a sensitivity that is smaller, and of no digit, is zero."""

UNITS = 1e-30
"""Of the largest state: units are not more different than that. What is smaller is zero but for
rounding, and is judged by this size and not by itself."""

SAFETY = 2.0
PEERS_SAFETY = 2.0  # more, where all solves have one precision: what they share does not show
COMPANION_STEPS = 2.0


@dataclass(frozen=True)
class Grid:
    """Observation times with their companions.

    Attributes
    ----------
    times
        All of them, increasing.
    positions
        Where the observation times (row 0) and their companions are in `times`, (3, T).
    """

    times: Array
    positions: NDArray[np.int64]

    @property
    def observed(self) -> NDArray[np.int64]:
        """Positions of the observation times, (T,)."""
        return self.positions[0]


def companion_grid(times: Array, starts: Array, sizes: Array, *, t_end: float) -> Grid:
    """Put companions two steps before and after every time, from the steps of an earlier solve."""
    if len(starts):
        step = sizes[np.clip(np.searchsorted(starts, times, side="right") - 1, 0, None)]
    else:
        step = np.full(len(times), 1e-3 * t_end)
    instants = np.stack([times + c * step for c in (0.0, -COMPANION_STEPS, COMPANION_STEPS)])
    instants = np.where(times == 0.0, 0.0, np.clip(instants, 0.0, t_end))  # the start needs no step
    grid = np.unique(instants)
    return Grid(grid, np.searchsorted(grid, instants))


def difference(a: NDArray[Any], b: NDArray[Any], *, finer: Precision) -> Array:
    """|a - b|, subtracted in the finer precision of the two and rounded to float64."""
    if finer.name in ("double", "long double"):
        return np.abs(to_float64(a.astype(finer.fp_type) - b.astype(finer.fp_type)))
    exact = []
    for values in (a, b):
        lifted: NDArray[Any] = np.empty(values.shape, dtype=finer.fp_type)
        for index, value in np.ndenumerate(values):
            lifted[index] = finer.number(value)
        exact.append(lifted)
    return np.abs(to_float64(exact[0] - exact[1]))


@dataclass(frozen=True)
class Bounds:
    """Error bounds of values (T, n + k) and derivatives (T, n + k, m) at the observation times."""

    values: Array
    derivatives: Array


def between(coarse: Solution, fine: Solution, grid: Grid) -> Bounds:
    """Bound the error of the coarse solve, and so of the fine one, by their disagreement."""
    return cautious(
        difference(coarse.values, fine.values, finer=fine.precision),
        difference(coarse.derivatives, fine.derivatives, finer=fine.precision),
        grid,
    )


def apart(
    other: Solution, fine: Solution, coarse: Solution, grid: Grid, *, caution: float = 1.0
) -> Bounds:
    """Bound the error of a solve by one of the same precision and one of a coarser precision.

    The two of one precision share neither order nor steps; the larger of two witnesses counts, as
    in `among`: their disagreement, and the measured error of the coarser precision, scaled, and
    enlarged by `caution`. The latter shows a rounding error that is alike in both.
    """
    ratio = caution * fine.precision.eps / coarse.precision.eps
    bounds = []
    for name in ("values", "derivatives"):
        of_fine = getattr(fine, name)
        spread = difference(getattr(other, name), of_fine, finer=fine.precision)
        error = difference(getattr(coarse, name), of_fine, finer=fine.precision)
        bounds.append(np.maximum(PEERS_SAFETY * spread, ratio * error))
    return cautious(bounds[0], bounds[1], grid)


def completed(fine: Solution, coarse: Solution) -> Solution:
    """A solve that stopped early, with the rows that it did not reach from a coarser one."""
    parts = {}
    for name in ("values", "derivatives"):
        found: Any = getattr(fine, name).copy()
        missing = np.isnan(to_float64(found))
        found[missing] = getattr(coarse, name)[missing].astype(fine.precision.fp_type)
        parts[name] = found
    return replace(fine, **parts)


def among(peers: list[Solution], coarser: list[Solution], grid: Grid) -> tuple[Solution, Bounds]:
    """The mean of solves of one precision, and a bound of its error.

    The bound is the larger of two independent witnesses. The spread of the solves, whose orders
    and so steps and rounding errors differ; and the measured errors of solves in a coarser
    precision, scaled by the ratio of the two epsilons, for rounding is amplified alike in both
    (without the safety factor, because the mean has less than half the error of one solve).
    """
    first = peers[0]
    ratio = first.precision.eps / coarser[0].precision.eps
    means, bounds = [], []
    for name in ("values", "derivatives"):
        stack = np.stack([getattr(peer, name) for peer in peers])
        mean = stack.mean(axis=0)
        bound = PEERS_SAFETY * to_float64(stack.max(axis=0) - stack.min(axis=0))
        for other in coarser:
            error = difference(getattr(other, name), mean, finer=first.precision)
            bound = np.maximum(bound, ratio / SAFETY * error)
        means.append(mean)
        bounds.append(bound)
    consensus = replace(peers[-1], values=means[0], derivatives=means[1])
    return consensus, cautious(bounds[0], bounds[1], grid)


def cautious(values: Array, derivatives: Array, grid: Grid) -> Bounds:
    """Take the companions into account, and the safety factor."""
    return Bounds(
        SAFETY * values[grid.positions].max(axis=0),
        SAFETY * derivatives[grid.positions].max(axis=0),
    )


def entry_thresholds(derivatives: Array, scale: Array, *, negligible: float) -> Array:
    """The largest-entry rule: below what size an entry of S (T, n, m) is negligible.

    S_ij(t) is negligible if |S_ij(t)| / scale_i is below `negligible` times the largest
    |S_i'j(t')| / scale_i' of the same parameter, over all states i' and all times t', where
    scale_i is the largest |y_i|. So units of states and parameters do not matter, and an entry
    that is just crossing zero is left out.
    """
    share = np.abs(derivatives) / scale[:, None]
    largest = np.nan_to_num(share).max(axis=(0, 1), initial=0.0)
    whole = np.broadcast_to(largest * scale[:, None], derivatives.shape)
    return np.maximum(negligible * whole, SMALLEST)


def zero_columns(
    derivatives: Array, bounds: Array, scale: Array, parameter_scale: Array
) -> NDArray[np.bool_]:
    """Parameters (m,) whose derivatives are zero as far as anyone can tell.

    No entry of the column is larger than the largest of the bounds of its errors, and these are
    below 1e-25 of the natural scale |y_i| / |p_j|: higher precisions made both smaller. So it has
    digits in relation to that scale, and none in relation to itself.
    """
    # float64 would underflow to a zero beside a state that grows by hundreds of powers of ten
    natural = parameter_scale / scale[:, None].astype(np.longdouble)
    size = np.max(np.abs(derivatives) * natural, axis=(0, 1), initial=0.0)
    bound = np.max(bounds * natural, axis=(0, 1), initial=0.0)
    return np.asarray((size <= bound) & (bound <= NOUGHT))


def value_thresholds(values: Array, *, negligible: float) -> Array:
    """The same rule for states and integrals, (T, n): each against its own running maximum.

    That is no smaller than `UNITS` of the largest of all.
    """
    largest = np.maximum.accumulate(np.nan_to_num(np.abs(values)), axis=0)
    floor = UNITS * largest.max(axis=1, keepdims=True, initial=0.0)
    return np.maximum(negligible * np.maximum(largest, floor), SMALLEST)


def held_digits(result: Array, bound: Array, threshold: Array) -> tuple[Array, float]:
    """Significant digits of every entry, NaN where it is negligible; and the digits of the whole.

    The whole includes the negligible entries, each with its absolute error against its threshold.
    """
    size = np.abs(result)
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = -np.log10(bound / np.maximum(size, threshold))
    digits = np.clip(np.nan_to_num(digits, nan=0.0, posinf=MOST_DIGITS), 0.0, MOST_DIGITS)
    negligible = np.isfinite(result) & (size <= threshold)
    return np.where(negligible, np.nan, digits), float(digits.min())


def state_scale(values: Array, derivatives: Array, parameter_scale: Array) -> Array:
    """The largest |y_i|, or where that is 0 the largest |p_j S_ij|, else 1; (n,).

    It is no smaller than `UNITS` of the largest state.
    """
    with np.errstate(invalid="ignore"):
        largest = np.nan_to_num(np.nanmax(np.abs(values), axis=0, initial=0.0))
        response = np.nan_to_num(
            np.nanmax(np.abs(derivatives) * parameter_scale, axis=(0, 2), initial=0.0)
        )
    scale = np.where(largest > 0.0, largest, response)
    scale = np.maximum(scale, UNITS * largest.max(initial=0.0))
    return np.where(scale > 0.0, scale, 1.0)
