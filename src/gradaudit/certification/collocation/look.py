"""Whether the elements of a solve see all of the vector field.

Collocation knows the vector field at its points and nowhere else: a narrow pulse between them, or a
kink in disguise, leaves no trace in any order alike. So the increment of a long element is compared
with the integral over it of the vector field, evaluated along its polynomial at many other points.
The same is done for the sensitivities, since a pulse whose amplitude is a parameter that is 0, or
tiny, shows in them alone.
"""

from __future__ import annotations

from functools import cached_property
from math import ceil
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from gradaudit.certification.collocation.element import Tools
from gradaudit.certification.collocation.products import along_points, product
from gradaudit.certification.collocation.scales import Scales
from gradaudit.certification.heyoka.precision import DOUBLE, to_float64
from gradaudit.certification.hidden_pulses import unseen
from gradaudit.certification.pulse_terms import Path, needs_path
from gradaudit.certification.step_inspection import FEW, LARGEST_DEFECT, MANY, PANEL
from gradaudit.model.definition import Model

Array = NDArray[Any]
Float = NDArray[np.float64]

MOST_PANELS = 400
"""Of one element, so that a look at it stays cheaper than its solution."""

MOST_LOOKS = 32
"""At states along one element, between which its path is taken to be straight."""

BATCH = 1_000_000
"""Entries of Jacobians that are held at once."""

ROUNDINGS = 30.0
"""How many times the rounding of a sum may show in a defect."""


class Element(NamedTuple):
    """An element that was solved, with its start.

    Attributes
    ----------
    t, length
        Start and length.
    y, increments
        States and integrals (N,) at the start, and their increments (s, N).
    slopes, gains
        Sensitivities (N, c) at the start, and their increments (s, N, c); None without any.
    noise
        Rounding level of the latter, (N, c).
    """

    t: Any
    length: Any
    y: Array
    increments: Array
    slopes: Array
    gains: Array | None
    noise: Float


class Look:
    """Looks at the long elements of one solve; the short ones have nothing to hide.

    Attributes
    ----------
    worst
        The largest defect so far, as a share of the size of its component.
    where
        The middle of the element that has it.
    starts, lengths
        Of all elements.
    """

    def __init__(self, tools: Tools, model: Model, until: float) -> None:
        self.tools, self.panel = tools, PANEL * model.t_end
        self.model, self.until = model, until
        self.starts: list[float] = []
        self.lengths: list[float] = []
        self.worst, self.where = 0.0, 0.0
        self._path: list[tuple[Float, Float]] | None = [] if needs_path(model) else None

    @cached_property
    def missed(self) -> float | None:
        """The time of the element with the largest defect, or of a pulse that no element saw."""
        if self.worst > LARGEST_DEFECT:
            return self.where
        path = None
        if self._path:
            times, states = zip(*self._path, strict=True)
            path = Path(np.concatenate(times), np.concatenate(states))
        return unseen(self.model, path, self.starts, self.lengths, self.until)

    def look(self, element: Element, scales: Scales) -> None:
        self.starts.append(float(element.t))
        self.lengths.append(float(element.length))
        self._follow(element)
        if float(element.length) < 0.5 * self.panel:
            return
        worst = self._defect(element, scales, FEW)
        if worst > LARGEST_DEFECT:  # few nodes do not integrate a transient that is one panel long
            worst = self._defect(element, scales, MANY)
        if worst > self.worst:
            self.worst = worst
            self.where = float(element.t) + 0.5 * float(element.length)

    def _follow(self, element: Element) -> None:
        """Take down states along an element, on the path for `hidden_pulses`."""
        if self._path is None:
            return
        n, length = self.model.n, float(element.length)
        inside = min(ceil(length / self.panel), MOST_LOOKS) if length >= 0.5 * self.panel else 1
        shares = np.arange(inside + 1) / inside
        along = self.tools.method.weights_at(self.tools.precision.array(shares))
        states = element.y[:n] + product(along, np.ascontiguousarray(element.increments[:, :n]))
        self._path.append((float(element.t) + length * shares, to_float64(states)))

    def _defect(self, element: Element, scales: Scales, nodes: int) -> float:
        """The largest defect of an element, from so many Gauss nodes of each panel."""
        step, n = float(element.length), self.tools.fine.n
        points, weights = leggauss(nodes)
        pieces = min(ceil(step / self.panel - 1e-6), MOST_PANELS)
        shares = self.tools.precision.array(
            ((np.arange(pieces)[:, None] + 0.5 * (points + 1.0)) / pieces).ravel()
        )
        along = self.tools.method.weights_at(shares)
        states = element.y + product(along, element.increments)
        places = self.tools.points(element.t + element.length * shares, states[:, :n])
        rates = to_float64(self.tools.fine.rates(places))
        weights = np.tile(0.5 * weights * step / pieces, pieces)
        defect = np.abs(to_float64(element.increments[-1]) - weights @ rates)
        # A fast component follows its equilibrium: its defect is what is left of its own rate.
        fast = np.zeros(len(element.y))
        fast[:n] = step * self.tools.stiffness_of(places)
        size = (scales.states + weights @ np.abs(rates)) * (1.0 + fast)
        worst = _largest(defect / size)
        if element.gains is None:
            return worst
        gained, passed, slopes = self._gained(element, along, places, weights)
        # what is rounded in the sensitivities is in their rates times the slopes
        noise = element.noise + step * slopes @ element.noise[:n]
        rounding = ROUNDINGS * (DOUBLE.eps * passed + noise)
        defect = np.abs(to_float64(element.gains[-1]) - gained) - rounding
        return max(worst, _largest(defect / ((scales.natural + passed) * (1.0 + fast[:, None]))))

    def _gained(
        self, element: Element, along: Array, places: Array, weights: Float
    ) -> tuple[Float, Float, Float]:
        """Integrals over an element of f_y S + f_p, and of the absolute values of its terms.

        And the mean of |f_y|, (N, n).
        """
        n, fine = self.tools.fine.n, self.tools.fine
        slopes = np.zeros((fine.size, n))
        gained, passed = np.zeros(element.slopes.shape), np.zeros(element.slopes.shape)
        count = max(BATCH // (fine.size * (n + fine.m)), 1)
        assert element.gains is not None
        start, gains = to_float64(element.slopes[:n]), to_float64(element.gains[:, :n])
        for first in range(0, len(weights), count):
            some = slice(first, first + count)
            # in double: what that rounds is small beside the sizes by which defects are judged
            inner = start + along_points(to_float64(along[some]), gains)
            found = fine.dense(fine.slopes(places[:, some]))
            by_state, by_parameter = (to_float64(part) for part in found)
            by_parameter = by_parameter[..., self.tools.columns]
            share = weights[some]
            gained += np.tensordot(share, by_state @ inner + by_parameter, 1)
            slopes += np.tensordot(share, np.abs(by_state), 1) / weights.sum()
            terms = np.abs(by_state) @ np.abs(inner) + np.abs(by_parameter)
            passed += np.tensordot(share, terms, 1)
        return gained, passed, slopes


def _largest(shares: Float) -> float:
    """The vector field may be undefined at a point where the solution is smooth."""
    return float(np.max(shares, initial=0.0, where=np.isfinite(shares)))
