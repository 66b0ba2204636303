"""Whether the elements of a solve see all of the vector field.

Collocation knows the vector field at its points and nowhere else: a narrow pulse between them, or a
kink in disguise, leaves no trace in any order alike. So the increment of a long element is compared
with the integral over it of the vector field, evaluated along its polynomial at many other points.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from gradaudit.certification.collocation.element import Tools
from gradaudit.certification.collocation.products import product
from gradaudit.certification.heyoka.precision import to_float64
from gradaudit.certification.step_inspection import FEW, LARGEST_DEFECT, MANY, PANEL

Array = NDArray[Any]

LEAST_PIECES, MOST_PIECES = 2, 100
"""Of one element: so many that what it resolves is integrated to rounding, and so few that a look
stays cheaper than its solution.
"""


class Look:
    """Looks at the long elements of one solve; the short ones have nothing to hide.

    Attributes
    ----------
    worst
        The largest defect so far, as a share of the size of its component.
    where
        The middle of the element that has it.
    """

    def __init__(self, tools: Tools, t_end: float) -> None:
        # as dense as the looks at Taylor steps, and of the order of an element
        points, weights = leggauss(MANY)
        self.tools, self.shortest = tools, 0.5 * PANEL * t_end
        self.piece = MANY / FEW * PANEL * t_end
        self.nodes, self.weights = 0.5 * (points + 1.0), 0.5 * weights
        self.worst, self.where = 0.0, 0.0

    @property
    def missed(self) -> float | None:
        """The time of the element with the largest defect, or None where none has any."""
        return self.where if self.worst > LARGEST_DEFECT else None

    def look(self, t: Any, length: Any, y: Array, increments: Array, scale: Array) -> None:
        """At an element: start, length, states and integrals (N,) and increments (s, N)."""
        step, n = float(length), self.tools.fine.n
        if step < self.shortest:
            return
        pieces = min(max(ceil(step / self.piece - 1e-6), LEAST_PIECES), MOST_PIECES)
        shares = self.tools.precision.array(
            ((np.arange(pieces)[:, None] + self.nodes) / pieces).ravel()
        )
        states = y + product(self.tools.method.weights_at(shares), increments)
        points = self.tools.points(t + length * shares, states[:, :n])
        rates = to_float64(self.tools.fine.rates(points))
        weights = np.tile(self.weights * step / pieces, pieces)
        defect = np.abs(to_float64(increments[-1]) - weights @ rates)
        # A fast component follows its equilibrium: its defect is what is left of its own rate.
        fast = np.zeros(len(y))
        fast[:n] = self.tools.stiffness_of(points)
        size = (scale + weights @ np.abs(rates)) * (1.0 + step * fast)
        with np.errstate(invalid="ignore"):
            worst = float(np.nanmax(defect / size, initial=0.0))
        if worst > self.worst:
            self.worst, self.where = worst, float(t) + 0.5 * step
