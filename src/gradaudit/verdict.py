"""Good, bad or horrible: verdicts on a row and on a whole ladder of tolerances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import theilslopes


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
        A ladder that stops falling above this error is horrible; below it, it is merely stuck.
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

    `order` is the exponent q of error ~ rtol^q, NaN where too few errors lie above the floor.
    """

    order: float
    converging: bool
    verdict: str


def judge_ladder(
    tolerances: Sequence[float],
    errors: Sequence[float],
    cosines: Sequence[float],
    thresholds: Thresholds,
) -> tuple[Ladder, list[str]]:
    """The verdict on the ladder, and on each of its rows.

    A ladder is good if all its rows are, horrible if it does not converge or no row is good, and
    bad in between. Errors that are not finite (a failed solve among them) are horrible.
    """
    order = convergence_order(tolerances, errors, thresholds.floor)
    converging = _converges(tolerances, errors, order, thresholds)
    rows = [
        _judge_row(error, cosine, converging, thresholds)
        for error, cosine in zip(errors, cosines, strict=True)
    ]
    if all(row == "good" for row in rows):
        verdict = "good"
    elif not converging or "good" not in rows:
        verdict = "horrible"
    else:
        verdict = "bad"
    return Ladder(order=order, converging=converging, verdict=verdict), rows


def convergence_order(tolerances: Sequence[float], errors: Sequence[float], floor: float) -> float:
    """Exponent q of error ~ rtol^q: the median slope over all pairs (Theil and Sen).

    Only finite errors above `floor` count; NaN if there are fewer than two. The median keeps one
    lucky tolerance from deciding.
    """
    x, y = _logarithms(tolerances, errors, floor)
    if len(set(x)) < 2:
        return float("nan")
    return float(theilslopes(y, x).slope)


def _logarithms(
    tolerances: Sequence[float], errors: Sequence[float], floor: float
) -> tuple[np.ndarray, np.ndarray]:
    kept = [
        (math.log10(t), math.log10(e))
        for t, e in zip(tolerances, errors, strict=True)
        if math.isfinite(e) and e > floor
    ]
    x, y = zip(*kept, strict=True) if kept else ((), ())
    return np.array(x), np.array(y)


def _converges(
    tolerances: Sequence[float], errors: Sequence[float], order: float, thresholds: Thresholds
) -> bool:
    finite = [e for _, e in sorted(zip(tolerances, errors, strict=True), reverse=True)]
    finite = [e for e in finite if math.isfinite(e)]
    if not finite:
        return False
    if finite[-1] <= thresholds.stalled:
        return True
    if math.isnan(order):
        return finite[-1] <= thresholds.good
    return order >= thresholds.minimum_order


def _judge_row(error: float, cosine: float, converging: bool, thresholds: Thresholds) -> str:
    if not math.isfinite(error) or error > thresholds.horrible or not converging:
        return "horrible"
    if cosine <= 0.0:
        return "horrible"
    return "good" if error <= thresholds.good else "bad"
