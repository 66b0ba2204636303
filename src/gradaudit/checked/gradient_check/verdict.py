"""From numbers with error bars to passed, failed or inconclusive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gradaudit.checked.gradient_check.directions import Directions
from gradaudit.checked.gradient_check.truth import Truth

Array = NDArray[np.float64]
Outcome = Literal["passed", "failed", "inconclusive"]

ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""Of the value: a gradient that is smaller is no more than rounding where the true one is 0."""


@dataclass(frozen=True)
class Verdict:
    """The outcome, the relative disagreement with its error bar, and why."""

    outcome: Outcome
    disagreement: float
    error_bar: float
    why: str


def judge(gradient: Array, where: Directions, truth: Truth, accuracy: float) -> Verdict:
    """Of a gradient (m,) by its products with the directions.

    With x = |wrong part| in scaled parameters, the relative error is x / |true gradient|, and the
    true gradient is no larger than |gradient| + x and no smaller than |gradient| - x.
    """
    if not truth.known:
        return Verdict("inconclusive", np.nan, np.inf, "the true derivative is not known")
    if not np.all(np.isfinite(gradient)):
        return Verdict("failed", np.inf, 0.0, "entries of the gradient are not finite")
    scaled = gradient * where.sizes
    size = float(np.linalg.norm(scaled))
    wrong = where.vectors @ gradient - truth.slopes
    rounding = 4.0 * np.finfo(np.float64).eps * np.sqrt(len(scaled)) * size
    least, likely, most = where.bounds(wrong, truth.bars + rounding)
    _, expected, _ = where.bounds(truth.slopes, truth.bars)
    scale = max(size, expected)
    nothing = ROUNDING * abs(truth.value)
    if size <= nothing and not np.any(truth.slopes) and not np.any(truth.bars):
        return _unless(truth, 0.0, 0.0, "gradient and true derivative are both zero")
    if scale == 0.0:
        return Verdict(
            "inconclusive", np.nan, np.inf, "the true derivative is zero within its error bar"
        )
    relative, bar = likely / scale, float(np.linalg.norm(truth.bars)) / scale
    if not where.complete:
        bar /= np.sqrt(len(truth.bars))
    if least > accuracy * (size + least) and not truth.unsure:
        return Verdict("failed", relative, bar, "it is wrong by more than the accuracy asked for")
    if size > most and most <= accuracy * (size - most):
        return _unless(truth, relative, bar, "it is right within the accuracy asked for")
    doubt = float(np.linalg.norm(truth.bars))
    if expected <= doubt and size <= 3.0 * doubt and not truth.unsure:
        why = "both gradients are zero within the error bars, as near an optimum"
    elif least > accuracy * (size + least):
        why = "it differs by more than the accuracy asked for, but what it differs from is not sure"
    else:
        why = "the error bars are too wide to tell whether it is right"
    return Verdict("inconclusive", relative, bar, why)


def _unless(truth: Truth, relative: float, bar: float, why: str) -> Verdict:
    """Passed, unless there are doubts."""
    if truth.doubts:
        return Verdict("inconclusive", relative, bar, "it agrees, but what with is not sure")
    return Verdict("passed", relative, bar, why)
