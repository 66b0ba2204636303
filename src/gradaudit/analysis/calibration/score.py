"""The trust score: an estimate of a gradient's relative error, with its spread.

A score is a straight line in the logarithms of indicators, none of which lowers it; where they are
missing, as for the time of an event, it is what is known to be neglected by the tangents. Its
coefficients are learned from an atlas, where the true errors are known
(`gradaudit.analysis.calibration.fitting`); those of the atlas of the default configuration come
with the package, in ``coefficients.json``. Pure numbers in, pure numbers out: it works on arrays of
NumPy and, traced, of JAX alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gradaudit.analysis.calibration.stepping import LIMITS

FLOOR, CEILING = -10.0, 0.0
"""Decimal logarithms between which an indicator, or an error, counts."""

LINEAR, LARGE = -2.0, ", large"
"""log10 of an estimate from which on the error of states and tangents is no small perturbation."""

FEATURES = {
    "probed": ("probed_error",),
    "propagated": ("estimated_error",),
    "second_solve": ("control_difference", "estimated_error"),
}
"""Indicators of each score, the cheapest first.

Those along one direction and in full, and with a second gradient. Others were tried, and made the
scores worse on mechanisms left out: the embedded error of a step, the difference to a looser
tolerance, growth, stiffness, the share of rejected steps.
"""

FILE = Path(__file__).parent / "coefficients.json"


@dataclass(frozen=True, kw_only=True)
class Score:
    """log10 of the relative error is about ``intercept + sum weights log10 indicator``.

    Attributes
    ----------
    name, features
        A key of `FEATURES`, and the indicators.
    intercept, weights
        The line, fitted to the median; no weight is negative.
    low, high
        Bounds of log10 error less the line, for 90 % of the cases in nine of ten mechanisms: for a
        solve of which nothing else is known.
    intervals
        Lower and upper bound for 90 % of the cases, all mechanisms alike, by what limits the steps
        of the solve (`gradaudit.analysis.calibration.stepping.LIMITS`), and by that with `LARGE`
        for estimates above `LINEAR`; may lack some, or all.
    bound, threshold
        An error above `bound` is to be warned of; an estimate above 10 to the power `threshold` is
        an alarm.
    """

    name: str
    features: tuple[str, ...]
    intercept: float
    weights: tuple[float, ...]
    low: float
    high: float
    bound: float
    threshold: float
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def interval(self, line: Any, limit: Any, xp: Any = np) -> tuple[Any, Any]:
        """log10 of the bounds of the error, of estimates `line` and indices `limit` in `LIMITS`."""
        whole = (self.low, self.high)
        small = [self.intervals.get(name, whole) for name in LIMITS]
        large = [
            self.intervals.get(name + LARGE, own) for name, own in zip(LIMITS, small, strict=True)
        ]
        table = xp.asarray([small, large])
        own = table[xp.where(xp.asarray(line) > LINEAR, 1, 0), limit]
        return line + own[..., 0], line + own[..., 1]

    def predict(self, indicators: Mapping[str, Any], xp: Any = np) -> Any:
        """log10 of the estimated relative error; NaN where an indicator is missing.

        Parameters
        ----------
        indicators
            By name, numbers or arrays of one shape; "neglected" may be among them.
        xp
            ``numpy``, or ``jax.numpy`` for traced numbers.
        """
        line = self.intercept
        for name, weight in zip(self.features, self.weights, strict=True):
            line = line + weight * logarithm(indicators[name], xp)
        return _or_what_is_neglected(line, indicators.get("neglected", 0.0), xp)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def logarithm(values: Any, xp: Any = np) -> Any:
    """log10, between `FLOOR` and `CEILING`; NaN stays NaN."""
    values = xp.asarray(values)
    tiny = 10.0**FLOOR
    return xp.log10(xp.clip(values, tiny, 10.0**CEILING))


def _or_what_is_neglected(line: Any, neglected: Any, xp: Any) -> Any:
    """Where nothing is carried along, the saltation terms that are known to be missing."""
    share = xp.nan_to_num(xp.asarray(neglected), nan=0.0)
    return xp.where(xp.isnan(line) & (share > 0.0), logarithm(share, xp), line)


@cache
def scores() -> dict[str, Score]:
    """The scores that come with the package, by name."""
    stored = json.loads(FILE.read_text(encoding="utf-8"))["scores"]
    return {entry["name"]: from_dict(entry) for entry in stored}


def from_dict(entry: Mapping[str, Any]) -> Score:
    """A score from plain data."""
    lists = {name: tuple(entry[name]) for name in ("features", "weights")}
    own = {name: (low, high) for name, (low, high) in entry.get("intervals", {}).items()}
    return Score(**{**entry, **lists, "intervals": own})
