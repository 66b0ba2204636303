"""Independent values: closed forms in multiple precision, and their one-sided derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np

DIGITS = 120
STEP = mp.mpf(10) ** -30

ClosedForm = Callable[[Any, Any], Sequence[Any]]


class Truth(NamedTuple):
    """States (T, n), and their derivatives (T, n, m) from below and from above each parameter."""

    states: np.ndarray
    below: np.ndarray
    above: np.ndarray

    @property
    def smooth(self) -> np.ndarray:
        """Entries (T, n, m) whose two derivatives agree."""
        size = np.maximum(np.abs(self.below), np.abs(self.above))
        return np.abs(self.below - self.above) <= 1e-13 * size + 1e-20


def truth(solution: ClosedForm, times: Sequence[float], parameters: Sequence[float]) -> Truth:
    """Evaluate y(t, p) in 120 digits, at p and 1e-30 beside it.

    The difference quotients are of first order, and right to about 29 digits.
    """
    with mp.workdps(DIGITS):
        p = [mp.mpf(float(value)) for value in parameters]
        at = [[mp.mpf(v) for v in solution(mp.mpf(float(t)), p)] for t in times]
        sides = []
        for sign in (-1, 1):
            columns = []
            for j, value in enumerate(p):
                h = sign * STEP * (abs(value) if value else 1)
                moved = [*p[:j], value + h, *p[j + 1 :]]
                rows = [solution(mp.mpf(float(t)), moved) for t in times]
                columns.append(
                    [
                        [float((new - old) / h) for new, old in zip(a, b, strict=True)]
                        for a, b in zip(rows, at, strict=True)
                    ]
                )
            sides.append(np.moveaxis(np.array(columns), 0, -1))
        return Truth(np.array([[float(v) for v in row] for row in at]), *sides)
