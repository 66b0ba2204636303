"""The verdict on a gradient of which every entry has a certified counterpart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gradaudit.checked.gradient_check.result import Blamed, GradientCheck
from gradaudit.checked.gradient_check.verdict import Outcome

Array = NDArray[np.float64]

RIGHT = "It is right within the accuracy asked for."
WRONG = "It is wrong by more than the accuracy asked for."
OPEN = "The reference does not hold enough digits to decide."
MOST_BLAMED = 8
SHARE = 1e-2
"""Of the worst entry's error: what is wrong by less is not to blame."""


def judge_norm(
    given: Array, expected: Array, bars: Array, scale: float, accuracy: float
) -> tuple[Outcome, float, float]:
    """Outcome, relative error and its bar, of scaled entries (m,) by their Euclidean norm."""
    if not np.all(np.isfinite(given)):
        return "failed", np.inf, 0.0
    known = np.isfinite(bars) & np.isfinite(expected)
    wrong = np.where(known, given - expected, 0.0)
    size, doubt = float(np.linalg.norm(wrong)), float(np.linalg.norm(bars[known]))
    if scale == 0.0:
        return _without_scale(size, doubt, bool(known.all()))
    error, bar = size / scale, doubt / scale
    if error - bar > accuracy:
        return "failed", error, bar
    if known.all() and error + bar <= accuracy:
        return "passed", error, bar
    return "inconclusive", error, bar if known.all() else np.inf


def _without_scale(size: float, doubt: float, known: bool) -> tuple[Outcome, float, float]:
    """Of a gradient that is zero, as are all of its terms."""
    if size > doubt:
        return "failed", np.inf, 0.0
    exact = known and size == 0.0 and doubt == 0.0
    return ("passed", 0.0, 0.0) if exact else ("inconclusive", np.nan, np.inf)


def judge_each(
    given: Array, expected: Array, bars: Array, scales: Array, accuracy: float
) -> tuple[Outcome, float, float]:
    """The same where each entry has a scale of its own, by the worst one; any shape."""
    if not np.all(np.isfinite(given)):
        return "failed", np.inf, 0.0
    known = np.isfinite(bars) & np.isfinite(expected)
    safe = np.where(scales > 0.0, scales, 1.0)
    error = np.where(known, np.abs(given - expected) / safe, 0.0)
    bar = np.where(known, bars / safe, 0.0)
    worst = np.unravel_index(int(np.argmax(error - bar)), error.shape)
    if error[worst] - bar[worst] > accuracy:
        return "failed", float(error[worst]), float(bar[worst])
    largest = np.unravel_index(int(np.argmax(error + bar)), error.shape)
    seen = float(error[largest]), float(bar[largest])
    if known.all() and sum(seen) <= accuracy:
        return "passed", *seen
    return "inconclusive", seen[0], seen[1] if known.all() else np.inf


def checked(
    verdict: tuple[Outcome, float, float],
    accuracy: float,
    *,
    compared: str,
    note: str,
    names: Sequence[str],
    numbers: tuple[Array, Array, Array],
    weights: Array,
) -> GradientCheck:
    """The result, with the entries to blame.

    Parameters
    ----------
    note
        What else there is to say, in a sentence.
    names, numbers
        Of all entries in a row; given, expected and bars.
    weights
        By which the entries' errors are compared.
    """
    outcome, error, bar = verdict
    given, expected, bars = numbers
    sentence = {"passed": RIGHT, "failed": WRONG, "inconclusive": OPEN}[outcome]
    blame: tuple[Blamed, ...] = ()
    if outcome == "failed":
        wrong = np.abs(given - expected)
        beyond = np.where(np.isfinite(given), np.nan_to_num((wrong - bars) * weights), np.inf)
        order = np.argsort(-beyond)[:MOST_BLAMED]
        blame = tuple(
            Blamed(names[j], float(given[j]), float(expected[j]), float(bars[j]))
            for j in order
            if beyond[j] > SHARE * beyond[order[0]]
        )
    return GradientCheck(
        outcome=outcome,
        disagreement=error,
        error_bar=bar,
        accuracy=accuracy,
        reason=f"{sentence} {note}".strip(),
        compared=compared,
        blame=blame,
        given=given,
        expected=expected,
        bars=bars,
    )
