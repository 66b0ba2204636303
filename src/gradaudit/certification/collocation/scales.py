"""The sizes by which the parts of a solution are judged while it is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.certificate import UNITS

Float = NDArray[np.float64]

FLOOR = 1e-8
"""Of the largest column p_j S_j: a column that is smaller, such as one that is 0 but for rounding,
is judged by that as long as nothing is expected of it."""

BEGINNING = 1e-10
"""Of what is expected over the whole window: what is still smaller is judged by that.

A state at the end of a chain begins as a power of t that no polynomial follows to all digits, and
of which nothing depends.
"""

SMALLEST = 1e-280


@dataclass(frozen=True)
class Expected:
    """Sizes over the whole window, as an earlier solve found them.

    Attributes
    ----------
    states
        Of states and integrals, (N,).
    columns
        Of every parameter, the largest |S_ij| / scale_i, (m,); None where it is not known.
    """

    states: Float
    columns: Float | None = None

    def only(self, columns: NDArray[np.int64]) -> Expected:
        """The same of some of the parameters."""
        return self if self.columns is None else replace(self, columns=self.columns[columns])


@dataclass(frozen=True)
class Scales:
    """The largest sizes so far.

    Attributes
    ----------
    largest
        Of states and integrals, (N,).
    entries
        Of their sensitivities, (N, m).
    parameter_scale
        |p_j|, or 1 where that is 0, (m,).
    """

    largest: Float
    entries: Float
    parameter_scale: Float
    expected: Expected | None = None

    @property
    def states(self) -> Float:
        """Natural sizes of states and integrals to divide by, (N,)."""
        # what is 0 throughout is rounding, which is not judged by itself
        sizes = np.maximum(self.largest, UNITS * self.largest.max(initial=0.0))
        if self.expected is not None:
            sizes = np.maximum(sizes, BEGINNING * self.expected.states)
        return np.where(sizes > SMALLEST, sizes, 1.0)

    def with_states(self, sizes: Float) -> Scales:
        return replace(self, largest=np.maximum(self.largest, sizes))

    def with_sensitivities(self, sizes: Float) -> Scales:
        return replace(self, entries=np.maximum(self.entries, sizes))

    @property
    def natural(self) -> Float:
        """Natural sizes of the sensitivities, (N, m): each by the largest share of its column.

        The share of S_ij is |S_ij| / scale_i. Before anything depends on a parameter it is judged
        by the floor, which p_j S_j of other parameters gives, or if there are none the states.
        """
        scale = self.states
        columns = (self.entries / scale[:, None]).max(axis=0, initial=0.0)
        if self.expected is not None and self.expected.columns is not None:
            floor = BEGINNING * self.expected.columns
            # of a column that is 0 throughout nothing is expected
            floor = np.where(floor > SMALLEST, floor, FLOOR * FLOOR / self.parameter_scale)
        else:
            scaled = float((columns * self.parameter_scale).max(initial=0.0))
            floor = FLOOR * max(scaled, FLOOR) / self.parameter_scale
        return np.asarray(scale[:, None] * np.maximum(columns, floor))

    def share_of_states(self, tail: Float, noise: Float) -> float:
        """The largest of the tails (N,) in relation to the scales, without noise."""
        return _share(tail, noise, self.states)

    def share_of_sensitivities(self, tail: Float, noise: Float) -> float:
        """The same for sensitivities (N, m)."""
        return _share(tail, noise, self.natural)


def _share(tail: Float, noise: Float, scale: Float) -> float:
    meaningful = np.where(tail > noise, tail, 0.0)
    return float(np.max(meaningful / scale, initial=0.0))
