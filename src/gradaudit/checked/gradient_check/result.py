"""What a check returns, and how it reads."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gradaudit.checked.gradient_check.verdict import Outcome

WIDTH = 80
SHOWN = 5


@dataclass(frozen=True)
class Blamed:
    """An entry of the gradient that is wrong.

    Attributes
    ----------
    name
        Of the parameter: its path in the pytree, or its name in a model or problem.
    given, expected, error_bar
        The entry, what it should be, and how far that is known.
    """

    name: str
    given: float
    expected: float
    error_bar: float

    def __str__(self) -> str:
        if not math.isfinite(self.expected):
            return f"{self.name}: {self.given:.6g}, what it should be is not known"
        return (
            f"{self.name}: {self.given:.6g}, should be {self.expected:.6g} +- {self.error_bar:.1g}"
        )


@dataclass(frozen=True)
class GradientCheck:
    """The verdict on a gradient.

    Attributes
    ----------
    outcome
        "passed": proven to be right within `accuracy`; "failed": proven to be wrong by more;
        "inconclusive": neither.
    disagreement, error_bar
        Norm of the difference to the true derivative over that of the gradient, both in scaled
        parameters p_j d/dp_j, as seen along the directions; and how far it is known. NaN and
        infinity where nothing is known.
    accuracy
        What was asked for.
    reason
        The verdict and what to do, in sentences.
    blame
        The entries that are wrong, the worst one first; empty unless the outcome is "failed".
    directions
        (K, m), along which gradient and truth were compared, in units of the parameters; None where
        every entry was compared by itself.
    given, expected, bars
        Along the directions, or entry by entry: what the gradient says, the truth, the bounds of
        the truth's errors.
    confidence
        The probability that an error of the size of `accuracy` is seen along the directions.
    compared
        What was compared with what.
    """

    outcome: Outcome
    disagreement: float
    error_bar: float
    accuracy: float
    reason: str
    compared: str
    confidence: float = 1.0
    blame: tuple[Blamed, ...] = ()
    directions: NDArray[np.float64] | None = field(default=None, repr=False)
    given: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)
    expected: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)
    bars: NDArray[np.float64] = field(default_factory=lambda: np.empty(0), repr=False)

    @property
    def passed(self) -> bool:
        """Whether the gradient is proven to be right."""
        return self.outcome == "passed"

    @property
    def failed(self) -> bool:
        """Whether the gradient is proven to be wrong."""
        return self.outcome == "failed"

    def __bool__(self) -> bool:
        raise TypeError(
            "a check has three outcomes, so that it is neither true nor false; use .passed or "
            ".failed"
        )

    def __str__(self) -> str:
        seen = "disagreement unknown"
        if not np.isnan(self.disagreement):
            seen = f"disagreement {self.disagreement:.1e} +- {self.error_bar:.1e}"
        wanted = f"accuracy {self.accuracy:g}"
        lines = [f"gradient check: {self.outcome}", f"  {seen} (relative; {wanted})"]
        lines += textwrap.wrap(
            self.compared, WIDTH - 2, initial_indent="  ", subsequent_indent="  "
        )
        lines += textwrap.wrap(self.reason, WIDTH - 2, initial_indent="  ", subsequent_indent="  ")
        lines += [f"  {entry}"[:WIDTH] for entry in self.blame[:SHOWN]]
        if len(self.blame) > SHOWN:
            lines.append(f"  and {len(self.blame) - SHOWN} more in .blame")
        return "\n".join(lines)

    __repr__ = __str__
