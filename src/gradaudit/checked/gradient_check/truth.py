"""What derivatives along directions are known to be, by whatever route."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """Derivatives of the exact solution's function along directions.

    Attributes
    ----------
    slopes, bars
        The derivatives and bounds of their errors, (K,); NaN and infinite where nothing is known.
    value
        The function at the point.
    route
        How they were found, for the report.
    doubts
        What stands against them, in sentences: with any, no gradient passes.
    unsure
        Whether no gradient fails by them either.
    solve
        The replacement of a solve by which tangents were computed; None for differences.
    causes
        What is known to be wrong with derivatives of this function, in sentences.
    """

    slopes: Array
    bars: Array
    value: float
    route: str
    doubts: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    unsure: bool = False
    solve: Any = None

    @property
    def known(self) -> bool:
        """Whether there are numbers with error bars."""
        return bool(np.all(np.isfinite(self.slopes)) and np.all(np.isfinite(self.bars)))


def unknown(count: int, route: str, *doubts: str) -> Truth:
    """Nothing, and why."""
    nothing = np.full(count, np.nan)
    return Truth(nothing, np.full(count, np.inf), np.nan, route, doubts)
