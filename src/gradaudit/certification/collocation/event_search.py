"""Events within an element: the first of them, its time, and thresholds that are touched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.collocation import crossings
from gradaudit.certification.collocation.problem import Part, Problem
from gradaudit.certification.collocation.run import Run, Solved
from gradaudit.certification.collocation.scales import Expected
from gradaudit.certification.grazing import touches
from gradaudit.certification.heyoka.precision import to_float64
from gradaudit.certification.passage import EVENT_COOLDOWN, Passage, touched_at

Array = NDArray[Any]
Float = NDArray[np.float64]

PIECES = (9601, 11987, 10607, 12907)
"""In such a share of the window event functions are looked at, another one for each order."""

MOST_POINTS = 40_000
"""Of one element at which they are looked at."""

SMALL = 1e-6
"""Of the largest value of an event function: an extremum that is smaller may be a touch."""

FLAT = 1e-3
"""Of the sizes of its terms, per element: a zero with a smaller slope is beside an extremum."""

ITERATIONS = 12

MOVED = 1e-12
"""Of their arguments, by which the rounding of functions is measured."""


class Crossing(NamedTuple):
    """An event, and in which share of an element it happens."""

    share: float
    name: str


class SearchingRun(Run):
    """A run that sees the events of its elements.

    Attributes
    ----------
    part
        The equations in the mode that the run is in.
    began
        The time of the last event.
    """

    def __init__(
        self, problem: Problem, times: Float, points: int, tolerance: float,
        columns: Sequence[int] | NDArray[np.int64] | None, expected: Expected | None, look: bool,
    ) -> None:  # fmt: skip
        assert problem.modes is not None
        super().__init__(problem, times, points, tolerance, columns, expected, look)
        self.modes, self.model = problem.modes, problem.model
        self.passage: Passage[Part] = Passage(problem.modes, times)
        self.part = problem.modes.start()
        self.began = self.t
        self.pieces = PIECES[points % len(PIECES)]

    def _number(self, value: float) -> Any:
        return self.problem.precision.number(value)

    def _points(self, solved: Solved, shares: Float) -> Float:
        """Arguments of event functions along an element, in double, (1 + N + m, K)."""
        precision = self.problem.precision
        weights = to_float64(self.tools.method.weights_at(precision.array(shares)))
        states = to_float64(self.y) + weights @ to_float64(solved.increments)
        points = np.empty((1 + states.shape[1] + len(self.model.nominal), len(shares)))
        points[0] = float(self.t) + shares * float(solved.length)
        points[1 : 1 + states.shape[1]] = states.T
        points[1 + states.shape[1] :] = self.model.nominal[:, None]
        return points

    def _expanded(self, solved: Solved) -> Float | None:
        """Event functions and boundaries (D, F) along an element; None where it is too long."""
        pieces = float(solved.length) / self.model.t_end * self.pieces
        if pieces > MOST_POINTS:
            return None
        other = crossings.between(int(2 ** np.ceil(np.log2(max(pieces, 2 * self.tools.method.s)))))
        values = self.part.signals.values(self._points(solved, other))
        for degree in crossings.DEGREES:
            at_nodes = self._points(solved, crossings.nodes(degree))
            sampled = self.part.signals.values(at_nodes)
            coefficients = crossings.expansion(sampled)
            missed = crossings.misses(coefficients, values, other, np.zeros(len(values)))
            if missed.any():
                missed = crossings.misses(coefficients, values, other, self._rounding(at_nodes))
            if not missed.any():
                return coefficients
        return None

    def _rounding(self, points: Float) -> Float:
        """What rounding of their arguments makes of event functions and boundaries, (F,)."""
        signs = np.where(np.random.default_rng(11).random(points.shape) < 0.5, -1.0, 1.0)
        values, moved = (
            self.part.signals.values(points * (1.0 + size * signs)) for size in (0.0, MOVED)
        )
        changed = np.abs(moved - values).max(axis=1)
        return np.asarray(crossings.ROUNDING / MOVED * np.nan_to_num(changed))

    def _first(self, solved: Solved, coefficients: Float) -> Crossing | None:
        """The first event in an element."""
        found: Crossing | None = None
        for index in np.flatnonzero(~crossings.away(coefficients[:, : len(self.model.events)])):
            name = self.part.signals.events[index]
            direction, own = self.model.events[name].direction, coefficients[:, index]
            for share in crossings.zeros(own):
                if found is not None and share >= found.share:
                    break
                if self._since(solved, share) <= EVENT_COOLDOWN * self.model.t_end:
                    continue
                if self._double(solved, own, share, name):
                    continue
                if direction * crossings.slope(own, share) >= 0.0:
                    found = Crossing(share, name)
        return found

    def _double(self, solved: Solved, own: Float, share: float, name: str) -> bool:
        """Whether a zero is that of an extremum, on both sides of which the sign is the same."""
        if abs(crossings.slope(own, share)) > FLAT * np.abs(own).sum():
            return False
        at = min(crossings.extrema(own), key=lambda other: abs(other - share), default=share)
        here = self._crossing_at(solved, name, self._extremum(solved, at, name))
        return float(here["g"]) * crossings.curvature(own, at) >= 0.0

    def _since(self, solved: Solved, share: float) -> float:
        """The time from the last event to a share of an element."""
        return float(self.t - self.began) + share * float(solved.length)

    def _crossing_at(self, solved: Solved, name: str, when: Any) -> dict[str, Array]:
        shares: Array = np.empty(1, dtype=self.problem.precision.fp_type)
        shares[0] = (when - self.t) / solved.length
        states, tangents = self._at(solved, shares)
        z = np.array(list(states[0]), dtype=object)
        at = self.modes.effects[name].crossing(when, z, self.passage.p)
        speed = at["g_t"] + at["g_z"] @ self.part.rates(when, z, self.passage.p)
        found = np.zeros((len(z), 0)) if tangents is None else tangents[0]
        rows = np.array([list(row) for row in found], dtype=object)
        return at | {"z": z, "tangents": rows, "speed": speed}

    def _located(self, solved: Solved, share: float, name: str) -> Any:
        """The time of an event on the polynomial, by Newton's method; None where it gets lost."""
        begin = when = self.t + self._number(share) * solved.length
        before, eps = np.inf, self.problem.precision.eps
        for _ in range(ITERATIONS):
            at = self._crossing_at(solved, name, when)
            if not float(at["speed"]):
                return when  # which is told as grazing
            step = at["g"] / at["speed"]
            size = abs(float(step))
            if not size < np.inf:
                return None
            when = when - step
            if size <= 4.0 * eps * abs(float(when)) or size >= 0.5 * before:
                break
            before = size
        strayed = abs(float(when - begin)) > 0.01 * float(solved.length)
        return None if strayed and float(when - begin) else when

    def _touched(self, solved: Solved, coefficients: Float, end: float) -> Any:
        """When a threshold is touched before a share of an element; None where none is."""
        for index in np.flatnonzero(~crossings.away(coefficients[:, : len(self.model.events)])):
            own, name = coefficients[:, index], self.part.signals.events[index]
            largest = np.abs(own).sum()
            for share in crossings.extrema(own):
                value = crossings.value(own, share)
                early = self._since(solved, share) <= EVENT_COOLDOWN * self.model.t_end
                if share >= end or early or abs(value) > SMALL * largest:
                    continue
                when = self._extremum(solved, share, name)
                if touches(
                    partial(self._crossing_at, solved, name),
                    when, self.passage.p, self.model.t_end, self.problem.precision,
                ):  # fmt: skip
                    self.passage.reason = touched_at(name, float(when))
                    return when
        return None

    def _extremum(self, solved: Solved, share: float, name: str) -> Any:
        """The time at which an event function has no rate, by the secant method."""
        when = self.t + self._number(share) * solved.length
        aside = self._number(1e-6) * solved.length
        one, other = when - aside, when
        speed = self._crossing_at(solved, name, one)["speed"]
        for _ in range(ITERATIONS):
            here = self._crossing_at(solved, name, other)["speed"]
            if not float(here - speed):
                break
            step = here * (other - one) / (here - speed)
            one, speed, other = other, here, other - step
            if abs(float(step)) <= 4.0 * self.problem.precision.eps * abs(float(other)):
                break
        return other
