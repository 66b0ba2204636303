"""Derivatives along directions by solves with controlled tangents, and a witness for them.

Two solves, by other methods at other tolerances: their distance is mostly the error of the looser
one, and a cautious bar for the tighter one. What both would have wrong alike is a term that no
tangent has, such as the saltation of a switch that is not seen or a wrong rule of differentiation.
So difference quotients of plain solves along random directions have to agree.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.checked.gradient_check.differences import (
    MUTE,
    by_differences,
    quick,
    too_sensitive,
)
from gradaudit.checked.gradient_check.directions import Directions, random_rows
from gradaudit.checked.gradient_check.exact_solve import ExactSolve
from gradaudit.checked.gradient_check.interception import replaced
from gradaudit.checked.gradient_check.observed import Observed, observing
from gradaudit.checked.gradient_check.programs import Function, along
from gradaudit.checked.gradient_check.truth import Truth

Array = NDArray[np.float64]

LEVELS = (("tsit5", 1e-5), ("dopri8", 1e-7), ("dopri8", 1e-9), ("dopri8", 1e-11))
CHEAP = (("tsit5", 1e-4), ("tsit5", 1e-6), *LEVELS[2:])
"""For random directions, which are for many parameters, where a solve is expensive."""
ROUTE = "tangents with controlled errors"
SHARE = 0.05
"""Of the accuracy that is asked for: error bars above it are worth a tighter solve."""
WITNESSES = 3
"""Directions of difference quotients: one alone is orthogonal to an error now and then."""
AGREE = 0.1
"""Of that accuracy: as far as the witness has to agree."""
FAINT = 1e-4
"""Embedded error of a step over the faint states that grow in it; see `solvers.faint_states`."""
CAUTION = 2.0
LEAST_SHARE = 0.3  # of the typical distance, for a direction where it is small by chance

FAILED = (
    "the exact solution could not be computed: a solve for states and tangents failed or took too "
    "many steps"
)
SALTATION = (
    "the vector field jumps at a time that depends on the parameters, so derivatives by automatic "
    "differentiation lack the saltation term, {share:.0%} of an entry, at every tolerance. Make "
    "the switch an event, or smooth it"
)
AT_END = (
    "the vector field jumps at an end of the window or the solution starts on a threshold: the "
    "derivative exists from one side only"
)
FAINT_STATES = (
    "a state grows within single steps out of values so small that their errors are not "
    "controlled, and difference quotients do not confirm what it grows to. Let it begin at a "
    "larger value, or solve for its logarithm"
)
CONTRADICTED = (
    "derivatives by automatic differentiation are not those of the function's values: a switch "
    "that depends on the parameters, a rule of differentiation (stop_gradient, custom_jvp) that is "
    "not the derivative, or a short pulse that steps leap over"
)


@dataclass(frozen=True)
class Level:
    """Derivatives (K,) of one solve, the value, and what was seen."""

    value: float
    slopes: Array
    seen: Observed


def level(function: Function, p: Any, vectors: Array, solve: ExactSolve) -> Level:
    """One solve along all directions."""
    with replaced(solve), observing() as seen:
        value, slopes = jax.block_until_ready(along(function, p, jnp.asarray(vectors)))
    return Level(float(value), np.asarray(slopes), seen)


def by_tangents(
    function: Function, p: Any, where: Directions, *, accuracy: float, seed: int
) -> Truth:
    """The derivatives (K,), confirmed by differences or replaced by them."""
    count = len(where.vectors)
    # Of random directions one tells how far the first level is off as well as all of them.
    few, levels = (where.vectors, LEVELS) if where.complete else (where.vectors[:1], CHEAP)
    stiff, above = False, level(function, p, few, ExactSolve(*levels[0]))
    if above.seen.failed:
        stiff, above = True, level(function, p, few, ExactSolve(*levels[0], stiff=True))
    slopes, bars, below = np.full(count, np.nan), np.full(count, np.inf), above
    used = None
    for solver, rtol in levels[1:]:
        solve = ExactSolve(solver, rtol, stiff)
        following = level(function, p, where.vectors, solve)
        if following.seen.failed:
            break
        used = solve
        above, below = below, following
        slopes, bars = below.slopes, distance(above.slopes, below.slopes)
        if np.linalg.norm(bars) <= SHARE * accuracy * np.linalg.norm(slopes):
            break
    if not np.all(np.isfinite(bars)):
        return by_differences(function, p, where.vectors, stiff=stiff)
    doubts = (AT_END,) if below.seen.at_ends > 0.0 else ()
    found = Truth(slopes, bars, below.value, ROUTE, doubts, unsure=bool(doubts), solve=used)
    if below.seen.neglected > AGREE * accuracy:
        cause = SALTATION.format(share=below.seen.neglected)
        return by_differences(function, p, where.vectors, stiff=stiff, causes=(cause,))
    if np.linalg.norm(bars) > AGREE * accuracy * np.linalg.norm(slopes):
        close = by_differences(function, p, where.vectors, stiff=stiff)
        better = close.known and np.linalg.norm(close.bars) < AGREE * np.linalg.norm(bars)
        if better and np.all(np.abs(close.slopes - slopes) <= bars + close.bars):
            return replace(
                close, doubts=(*doubts, *close.doubts), unsure=close.unsure or bool(doubts)
            )
    if below.seen.faint > FAINT:
        found = _in_spite_of_faint(function, p, where, found, accuracy=accuracy, stiff=stiff)
    return _confirmed(function, p, where, found, accuracy=accuracy, seed=seed, stiff=stiff)


def distance(coarse: Array, fine: Array) -> Array:
    """Bounds (K,) of the error of the finer one, cautious, and infinite where a number is not.

    The coarser one may have the first of the directions alone.
    """
    apart = np.abs(coarse - fine[: len(coarse)])
    typical, missing = np.sqrt(np.mean(apart**2)), len(fine) - len(coarse)
    share = 1.0 if missing else LEAST_SHARE
    bars = CAUTION * np.maximum(np.pad(apart, (0, missing)), share * typical)
    return np.where(np.isfinite(bars), bars + 1e-13 * np.abs(fine), np.inf)


def _in_spite_of_faint(
    function: Function, p: Any, where: Directions, found: Truth, *, accuracy: float, stiff: bool
) -> Truth:
    """The truth with wider bars, if differences along all directions agree; else with a doubt.

    Their solves have a longest step, so that what grows out of nothing is resolved in another way.
    A pulse that sets in from rounding does no harm, and what is amplified from there would show.
    """
    close = by_differences(function, p, where.vectors, stiff=stiff)
    bars = np.abs(close.slopes - found.slopes) + close.bars
    if close.known and np.linalg.norm(bars) <= AGREE * accuracy * np.linalg.norm(found.slopes):
        return replace(found, bars=np.maximum(found.bars, bars))
    return replace(found, doubts=(*found.doubts, FAINT_STATES), unsure=True)


def _confirmed(
    function: Function,
    p: Any,
    where: Directions,
    found: Truth,
    *,
    accuracy: float,
    seed: int,
    stiff: bool,
) -> Truth:
    """The truth if difference quotients agree with it, and their own if they do not."""
    if where.complete:
        mixed = random_rows(WITNESSES, np.ones(len(where.sizes)), seed)
        vectors, slopes = mixed * where.sizes, mixed @ found.slopes
        bars = np.abs(mixed) @ found.bars
    else:
        vectors, slopes = where.vectors[:WITNESSES], found.slopes[:WITNESSES]
        bars = found.bars[:WITNESSES]
    # as large as the derivative is along a direction in which the terms do not cancel
    scale = float(np.linalg.norm(found.slopes))
    scale = scale if where.complete else scale / np.sqrt(len(found.slopes))
    allowed = AGREE * accuracy * scale
    look = quick(function, p, vectors, stiff=stiff, exact=where.complete)
    if (
        look.ok
        and np.all(np.abs(look.slopes - slopes) <= allowed)
        and np.all(look.kinks <= allowed)
    ):
        return found
    close = by_differences(function, p, vectors, stiff=stiff)
    apart = np.abs(close.slopes - slopes)
    if MUTE in close.doubts and too_sensitive(function, p, vectors, slopes, close, stiff=stiff):
        return replace(found, doubts=(*found.doubts, MUTE))
    if not close.known or np.any(close.bars > np.maximum(2.0 * allowed, AGREE * apart)):
        doubts = (*found.doubts, *(close.doubts or (MUTE,)))
        return replace(found, doubts=doubts, unsure=found.unsure or close.unsure)
    if np.all(apart <= allowed + close.bars + bars):
        return replace(found, doubts=found.doubts + close.doubts)
    if too_sensitive(function, p, vectors, slopes, close, stiff=stiff):
        return replace(found, doubts=(*found.doubts, MUTE))
    return by_differences(function, p, where.vectors, stiff=stiff, causes=(CONTRADICTED,))
