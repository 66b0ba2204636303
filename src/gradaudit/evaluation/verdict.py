"""Good, bad or horrible: verdicts on a row and on a whole tolerance series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import theilslopes

from gradaudit.records.labels import VERDICTS

Array = NDArray[np.float64]

FALL = 10.0
"""An error that falls by this factor over a series has fallen, however long the series is."""

FAR = 100.0
"""An error that falls by this factor, and then no further, did converge for a while."""

SAME = 1.1
"""Errors whose ratio stays below it are one and the same error."""

USUAL = 1e-3
"""The loosest of the usual tolerances: that of most tools, and of most figures in print."""

SPIKE = 100.0
"""An error so many times as large as those beside it is a spike, if it is horrible."""

TAIL = 100.0
"""The tight end of a series: tolerances up to this many times the tightest, three at least."""

HORRIBLE = ("not_finite", "large_error", "wrong_direction", "not_converging", "no_derivative")
BAD = ("error", "stops_falling")


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The numbers behind the words; all are configuration.

    Attributes
    ----------
    good, horrible
        Errors up to `good` are good, above `horrible` horrible.
    cancellation
        A gradient below this fraction of its natural scale is taken for zero, and its error is
        normalised by that scale.
    minimum_order
        Errors that fall slower than rtol to this power do not converge.
    floor
        Errors below it are at the rounding floor, where nothing falls any further.
    stalled
        A series that stops falling above this error does not converge; below it, it has settled.
    """

    good: float
    horrible: float
    cancellation: float
    minimum_order: float
    floor: float
    stalled: float

    @classmethod
    def from_settings(cls, settings: dict[str, Any]) -> Thresholds:
        """From the configuration's section `verdict`."""
        return cls(**settings)


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The errors of one (model, solver, method, functional) from loose to tight tolerances.

    Attributes
    ----------
    order
        The exponent q of error ~ rtol^q; NaN where too few errors lie above the floor, and where
        the errors do not converge or fall slower than rtol to `minimum_order`.
    trend
        "rounding" (at the floor), "falling", "settled" (fell to a small error and stays there),
        "stops" (fell, but then stays or rises erratically above what passes for settled), "stuck",
        "flat" (it is small at its tight end, and has not fallen there), "unknown" (one error is no
        series) or "failed" (none is finite).
    converging
        Whether a tighter tolerance leads to the exact gradient: not if it stops, is flat, stuck or
        failed.
    sufficient
        The loosest tolerance from which on every tighter one is good, NaN if there is none.
        Failed solves, which say so themselves, are left out.
    spikes
        How many errors are horrible between two others that are a hundred times smaller.
    verdict
        On the whole series.
    """

    order: float
    trend: str
    converging: bool
    sufficient: float
    spikes: int
    verdict: str


def judge_ladder(
    tolerances: Sequence[float],
    errors: Sequence[float],
    cosines: Sequence[float],
    thresholds: Thresholds,
    floors: Sequence[float] | float = 0.0,
    *,
    lacking: bool = False,
) -> tuple[Ladder, list[str]]:
    """The verdict on the tolerance series, and on each of its rows.

    A series is good if it is sufficient at the usual tolerances already, and bad if it takes a
    tighter one, if it stops falling above what passes for settled, or if a solve fails. It is
    horrible if no tolerance is sufficient, if it is stuck, if it has spikes or points into a wrong
    direction at its tight end, and if it is flat or stops for a term that is known to be missing.

    Parameters
    ----------
    tolerances, errors, cosines
        Of the rows, in any order.
    floors
        What rounding and the reference's own digits resolve, in the unit of the errors; the
        floor of `thresholds` holds in any case.
    lacking
        Whether the tangents are known to lack a term.
    """
    lowest = np.maximum(np.broadcast_to(floors, len(errors)), thresholds.floor)
    trend = trend_of(tolerances, errors, thresholds, lowest)
    if trend in ("flat", "stops") and lacking:  # it will not fall, and why is known
        trend = "stuck"
    rows = [
        verdict_of(reason_for(error, cosine, trend, thresholds))
        for error, cosine in zip(errors, cosines, strict=True)
    ]
    sufficient = sufficient_tolerance(tolerances, errors, thresholds.good)
    spikes = count_spikes(tolerances, errors, thresholds.horrible)
    finite = [k for k, error in enumerate(errors) if math.isfinite(error)]
    tightest = min(finite, key=lambda k: tolerances[k], default=None)
    backwards = tightest is not None and cosines[tightest] <= 0.0
    if trend == "unknown":
        verdict = max(rows, key=VERDICTS.index)
    elif not math.isfinite(sufficient) or trend == "stuck" or spikes or backwards:
        verdict = "horrible"
    elif sufficient < min(USUAL, max(tolerances)) or trend == "stops" or len(finite) < len(rows):
        verdict = "bad"
    else:
        verdict = "good"
    converging = trend not in ("stops", "flat", "stuck", "failed")
    order = convergence_order(tolerances, errors, lowest)
    # The exponent of an error that is at its floor is about 0, and no order of anything.
    ladder = Ladder(
        order=order if converging and order >= thresholds.minimum_order else math.nan,
        trend=trend,
        converging=converging,
        sufficient=sufficient,
        spikes=spikes,
        verdict=verdict,
    )
    return ladder, rows


def sufficient_tolerance(
    tolerances: Sequence[float], errors: Sequence[float], accuracy: float
) -> float:
    """The loosest tolerance from which on every tighter one has an error within `accuracy`.

    Errors that are not finite are left out. NaN if there is no such tolerance.
    """
    t, e = np.asarray(tolerances, dtype=float), np.asarray(errors, dtype=float)
    t, e = t[np.isfinite(e)], e[np.isfinite(e)]
    beyond = t[e > accuracy]
    within = t[t < beyond.min(initial=math.inf)]
    return float(within.max(initial=-math.inf)) if len(within) else math.nan


def count_spikes(tolerances: Sequence[float], errors: Sequence[float], horrible: float) -> int:
    """Errors above `horrible` between neighbours that are `SPIKE` times smaller."""
    order = np.argsort(tolerances, kind="stable")
    e = np.asarray(errors, dtype=float)[order]
    e = e[np.isfinite(e)]
    middle = e[1:-1]
    beside = np.maximum(e[:-2], e[2:])
    return int(np.sum((middle > horrible) & (middle > SPIKE * beside)))


def reason_for(error: float, cosine: float, trend: str, thresholds: Thresholds) -> str:
    """Why a row is not good, one of `HORRIBLE` and `BAD`; empty if it is good."""
    if not math.isfinite(error):
        return "not_finite"
    if error > thresholds.horrible:
        return "large_error"
    if cosine <= 0.0:
        return "wrong_direction"
    if trend == "stuck":
        return "not_converging"
    if error > thresholds.good:
        return "error"
    return "stops_falling" if trend == "stops" else ""


def verdict_of(reason: str) -> str:
    """The verdict on a row with that reason."""
    if not reason:
        return "good"
    return "bad" if reason in BAD else "horrible"


def convergence_order(
    tolerances: Sequence[float], errors: Sequence[float], floor: Sequence[float] | Array | float
) -> float:
    """Exponent q of error ~ rtol^q: the median slope over all pairs (Theil and Sen).

    Only finite errors above `floor` count; NaN if there are fewer than two. The median keeps one
    lucky tolerance from deciding.
    """
    t, e = np.asarray(tolerances, dtype=float), np.asarray(errors, dtype=float)
    kept = np.isfinite(e) & (e > np.broadcast_to(floor, e.shape)) & (e > 0.0)
    return _slope(t[kept], e[kept])


def trend_of(
    tolerances: Sequence[float],
    errors: Sequence[float],
    thresholds: Thresholds,
    floors: Sequence[float] | Array,
) -> str:
    """How the errors go from loose to tight tolerances, a word of `Ladder.trend`.

    A signed error that passes through zero is small once, by luck. So of each two neighbouring
    tolerances the larger error counts, where there are three or more; what is judged is then how
    that envelope falls over the whole series, and at its tight end. Failed solves are left out.
    """
    t, e = np.asarray(tolerances, dtype=float), np.asarray(errors, dtype=float)
    # What counts for resolved must still be an error that would be good.
    f = np.minimum(np.asarray(floors, dtype=float), thresholds.good)
    kept = np.argsort(-t, kind="stable")
    kept = kept[np.isfinite(e[kept])]
    t, e, f = t[kept], e[kept], f[kept]
    if len(e) == 0:
        return "failed"
    raw, tightest = np.maximum(e, f), t[-1]
    if len(e) >= 3:
        t, e, f = t[:-1], np.maximum(e[:-1], e[1:]), np.maximum(f[:-1], f[1:])
    if e[-1] <= f[-1]:
        return "rounding"
    if len(e) == 1:
        return "unknown"
    e = np.maximum(e, f)
    fall, needed = e[0] / e[-1], (t[0] / t[-1]) ** thresholds.minimum_order
    fell = fall >= min(FALL, needed)
    settled = e[-1] <= thresholds.stalled
    # With half the digits that can be resolved an error need not have fallen: there are series
    # that begin at a floor of their own, as that of the location of events.
    if settled and (fell or e[-1] <= math.sqrt(f[-1])):
        return "settled" if not _falls(t, e, thresholds) else "falling"
    if settled:  # small at its tight end, and never ten times as large
        return "flat"
    tail = raw[-max(3, int(np.sum(np.append(t, tightest) <= TAIL * tightest))) :]
    constant = len(raw) >= 4 and np.max(tail) <= SAME * np.min(tail)
    if fell and not constant and _falls(t, e, thresholds):
        return "falling"
    if e[0] >= FAR * np.min(e) and not constant:
        return "stops"
    if len(raw) > 3 and np.max(tail) <= min(thresholds.good, e[0] / FALL):
        return "stops"
    return "stuck" if len(raw) > 2 else "unknown"  # two alike are no series


def _falls(t: Array, e: Array, thresholds: Thresholds) -> bool:
    """Whether the error falls at the tight end."""
    tail = max(3, int(np.sum(t <= TAIL * t[-1])))
    return _slope(t[-tail:], e[-tail:]) >= thresholds.minimum_order


def _slope(t: Array, e: Array) -> float:
    if len(np.unique(t)) < 2:
        return float("nan")
    return float(theilslopes(np.log10(e), np.log10(t)).slope)
