"""Difference quotients of a function whose solves are tight, with error bars.

Central differences over a ladder of steps, extrapolated; the bar has what neighbouring rungs
disagree by, what a tighter solve changes, and what remains of a kink: the derivatives from both
sides disagree by the limit of ``|f(h) - 2 f(0) + f(-h)| / h``, which central differences do not
see.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.checked.gradient_check.interception import replaced
from gradaudit.checked.gradient_check.observed import observing
from gradaudit.checked.gradient_check.programs import Function, on_line
from gradaudit.checked.gradient_check.tight_solve import TightSolve
from gradaudit.checked.gradient_check.truth import Truth

Array = NDArray[np.float64]

RATIO = 4.0
QUICK = (1e-2, 1e-2 / RATIO)
LADDER = tuple(1e-2 / RATIO**k for k in range(6))
QUICK_RTOL, CHEAP_RTOL = 1e-7, 1e-6
RTOLS = (1e-9, 1e-11)
ROUNDING = 4.0 * float(np.finfo(float).eps)
"""Of the value: what a difference of two values is not known better than."""
CLEAR = 0.1
"""Of what remains of a kink: the noise below which it is one."""
CHANGED = 1e-2
"""Of the value: the change that a short step may make."""
CONFIRMED = 0.1
"""Of its distance to the one by long steps: as near has a derivative by short steps to be."""
RESOLVED = 1e-5
"""Of the value: what is not noise of tight solves, of which there is less."""
ROUTE = "central differences of solves at tight tolerances"
FAILED = "a solve with tight tolerances failed or took too many steps"
KINKED = (
    "the derivatives from the two sides disagree: the point is at a kink of the function, where "
    "there is no derivative. Move the parameters"
)
MUTE = (
    "difference quotients are too noisy to confirm the derivative, as for a chaotic or a very "
    "sensitive solution, a jump of the function at p, or a value so large that rounding hides its "
    "changes"
)


@dataclass(frozen=True)
class Quotients:
    """Derivatives (K,) with what is not known of them: spread over steps, and kinks, (K,).

    Kinks that are `lasting` do not fall with the step, as what a curved function leaves does.
    """

    slopes: Array
    spread: Array
    kinks: Array
    rung: NDArray[np.int64]
    ok: bool
    lasting: NDArray[np.bool_] | bool = True


def quotients(values: Array, steps: Sequence[float], rung: Any = None) -> Quotients:
    """From values (K, 2 L + 1): at 0, at the L steps, at minus the steps, in that order.

    Parameters
    ----------
    rung
        (K,), which of the extrapolated quotients to take; None: where neighbours agree best.
    """
    h, count = np.asarray(steps), len(steps)
    middle, up, down = values[:, :1], values[:, 1 : count + 1], values[:, count + 1 :]
    central, better = _central(values, steps)
    bends = np.abs((up - middle) + (down - middle)) / h
    kinks = np.abs(RATIO * bends[:, 1:] - bends[:, :-1]) / (RATIO - 1.0)
    rows = np.arange(len(values))
    if better.shape[1] < 3:
        spread = np.abs(better[:, 0] - central[:, 1])
        ok = bool(np.all(np.isfinite(values)))
        return Quotients(better[:, 0], spread, kinks[:, 0], np.zeros(len(values), dtype=int), ok)
    gaps = np.abs(np.diff(better, axis=1))
    spreads = 2.0 * np.maximum(gaps[:, :-1], gaps[:, 1:])  # of all but the first and the last
    spreads = spreads + ROUNDING * np.abs(middle) / h[2:-1]  # without noise, gaps would be 0
    spreads = np.where(np.isfinite(spreads), spreads, np.inf)
    chosen = np.argmin(spreads, axis=1) if rung is None else rung
    return Quotients(
        better[rows, chosen + 1],
        spreads[rows, chosen],
        kinks[rows, chosen + 1],
        chosen,
        bool(np.all(np.isfinite(values[rows, 0]))),
        kinks[rows, chosen + 2] > 0.5 * kinks[rows, chosen + 1],
    )


def _central(values: Array, steps: Sequence[float]) -> tuple[Array, Array]:
    """Central quotients (K, L) of values as in `quotients`, and extrapolated ones (K, L - 1)."""
    h, count = np.asarray(steps), len(steps)
    central = (values[:, 1 : count + 1] - values[:, count + 1 :]) / (2.0 * h)
    factor = RATIO**2
    return central, (factor * central[:, 1:] - central[:, :-1]) / (factor - 1.0)


def _values(
    function: Function, p: Any, vectors: Array, steps: Sequence[float], solve: TightSolve
) -> tuple[Array, bool]:
    """Values (K, 2 L + 1), and whether all solves were good."""
    line = jnp.asarray([0.0, *steps, *(-h for h in steps)])
    with replaced(solve), observing() as seen:
        values = np.asarray(on_line(function, p, jnp.asarray(vectors), line))
    return values, not seen.failed


def quick(function: Function, p: Any, vectors: Array, *, stiff: bool, exact: bool) -> Quotients:
    """Two steps at a moderate tolerance: a witness of what is known already, (K,)."""
    solve = TightSolve("tsit5", QUICK_RTOL if exact else CHEAP_RTOL, stiff)
    values, ok = _values(function, p, vectors, QUICK, solve)
    found = quotients(values, QUICK)
    return Quotients(found.slopes, found.spread, found.kinks, found.rung, found.ok and ok)


def by_differences(
    function: Function, p: Any, vectors: Array, *, stiff: bool, causes: tuple[str, ...] = ()
) -> Truth:
    """The derivatives (K,) by the whole ladder at two tolerances.

    Where all steps are too long the bars are infinite, since the quotients prove nothing.
    """
    found, values, middle, rung = [], np.empty(0), np.nan, None
    for rtol in RTOLS:
        values, ok = _values(function, p, vectors, LADDER, TightSolve("dopri8", rtol, stiff))
        if not ok and not stiff:
            return by_differences(function, p, vectors, stiff=True, causes=causes)
        found.append(quotients(values, LADDER, rung))
        rung, middle = found[0].rung, float(values[0, 0])
        if not ok:
            break
    if len(found) < len(RTOLS):
        nothing = np.full(len(vectors), np.nan)
        return Truth(nothing, np.full(len(vectors), np.inf), middle, ROUTE, (FAILED,), causes)
    coarse, fine = found
    kinks = np.minimum(coarse.kinks, fine.kinks)
    noise = fine.spread + 2.0 * np.abs(fine.slopes - coarse.slopes)
    bars = noise + kinks
    if _saturated(values, fine.slopes, bars):
        nothing = np.full(len(vectors), np.inf)
        return Truth(fine.slopes, nothing, middle, ROUTE, (MUTE,), causes, unsure=True)
    # A sensitive solution bends as much, but then its quotients do not agree with each other.
    bent = (kinks > 1e-3 * norm(fine)) & (noise < CLEAR * kinks)
    kinked = bool(np.any(bent & fine.lasting & coarse.lasting))
    return Truth(
        fine.slopes, bars, middle, ROUTE, (KINKED,) if kinked else (), causes, unsure=kinked
    )


def _saturated(values: Array, slopes: Array, bars: Array) -> bool:
    """Whether the ladder's shortest steps move the values (K, 2 L + 1) by what no bar explains.

    All steps are then too long for the function, which varies within the shortest of them. Those
    that are long beside what it varies by agree best with each other, on a derivative near 0: their
    spread is not that of derivatives at a point. Noise of solves does the same, but is faint.
    """
    shortest = _central(values, LADDER)[1][:, -2:]
    faint = RESOLVED * np.max(np.abs(values[np.isfinite(values)]), initial=0.0)
    allowed = bars[:, None] + faint / np.asarray(LADDER[-2:])
    return bool(np.any(np.abs(shortest - slopes[:, None]) > allowed))


def too_sensitive(
    function: Function, p: Any, vectors: Array, slopes: Array, close: Truth, *, stiff: bool
) -> bool:
    """Whether the ladder's steps are too long for derivatives (K,), which shorter ones confirm.

    And not those of the ladder, `close`.

    Of a chaotic solution even the shortest step moves the value by as much as it varies at all, and
    the quotients agree with each other on far too small a derivative.
    """
    predicted, value = np.abs(slopes).max() * LADDER[-1], abs(close.value)
    if not predicted > CHANGED * value:
        return False
    share, steps = CHANGED * value / predicted, LADDER[-2:]
    solve = TightSolve("dopri8", RTOLS[-1], stiff)
    found, ok = _values(function, p, share * np.asarray(vectors), steps, solve)
    short = quotients(found, steps).slopes
    apart = np.linalg.norm(short - share * np.asarray(slopes))
    other = np.linalg.norm(short - share * close.slopes)
    return ok and bool(apart < CONFIRMED * other)


def norm(found: Quotients) -> float:
    """Euclidean, of the derivatives."""
    return float(np.linalg.norm(found.slopes))
