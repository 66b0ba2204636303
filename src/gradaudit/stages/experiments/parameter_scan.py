"""A solve along one parameter: what an adaptive solver makes of a smooth J(p).

J is the first observable at the end of the window, p the model's first parameter. An accepted step
that becomes a rejected one moves all later steps, so that the computed J jumps by about the
tolerance; difference quotients see the jumps, the derivative on the frozen grid does not. The
number of events is a function of p as well, with jumps of its own.

One compiled program serves all values of p and all tolerances.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradaudit.model.definition import Model
from gradaudit.model.switching import switches
from gradaudit.pipeline.supervised import solve_within
from gradaudit.sensitivity.program import Program
from gradaudit.sensitivity.programs import program
from gradaudit.sensitivity.solve_status import TIME_LIMIT, status_of
from gradaudit.solvers.error_norm import Control
from gradaudit.solvers.options import StaticOptions, TracedOptions

Array = NDArray[np.float64]

EXACT = 1e-9
"""Tolerance, states and tangents, of the curves that the others are compared with."""

CANDIDATES = 12
"""Changes of the solver's decisions that are looked at for the largest jump of J."""

PLACES = 15
"""Places along p over which the V-curve of difference quotients is averaged."""


MOST_SLOW = 3
"""Solves of a curve that may take too long; then the rest of it is given up."""


class Point(NamedTuple):
    """One solve: J, dJ/dp on the frozen grid, events by name, accepted and rejected steps.

    J and dJ/dp are NaN unless the status is "ok".
    """

    p: float
    value: float
    gradient: float
    counts: tuple[int, ...]
    decisions: tuple[int, int]
    status: str = "ok"


class Jump(NamedTuple):
    """Two points next to each other with something different between them."""

    below: Point
    above: Point

    @property
    def place(self) -> float:
        """The middle."""
        return 0.5 * (self.below.p + self.above.p)

    @property
    def size(self) -> float:
        """|J| that it jumps by."""
        return abs(self.above.value - self.below.value)


@dataclass(frozen=True)
class Sweep:
    """The solves of one model along its first parameter.

    Attributes
    ----------
    rtol, atol_factor
        Tolerance of the solve that is looked at, and absolute over relative tolerance.
    limit
        Seconds after which a solve is given up.
    """

    model: Model
    solver: str
    rtol: float
    atol_factor: float
    max_steps: int
    limit: float = math.inf
    slow: set[tuple[bool, float]] = field(default_factory=set, init=False, compare=False)
    """The solves that took too long: whether of the exact curve, and p."""

    @property
    def nominal(self) -> float:
        """The nominal parameter."""
        return float(self.model.nominal[0])

    @property
    def scale(self) -> float:
        """|p|, or 1 where it is 0."""
        return float(self.model.parameter_scale[0])

    def at(self, p: float) -> Point:
        """Forward AD at the tolerance of the sweep."""
        return self._within(False, p)

    def exactly_at(self, p: float) -> Point:
        """Tight and with the tangents in the error test, with saltation where it matters."""
        return self._within(True, p)

    def quotient(self, p: float, step: float) -> float:
        """Central difference of J with the step `step` over the scale of p."""
        right, left = p + step * self.scale, p - step * self.scale
        if not right > left:
            return float("nan")  # the step is lost in rounding
        return (self.at(right).value - self.at(left).value) / (right - left)

    def _within(self, exact: bool, p: float) -> Point:
        """A solve of either curve, or a point without values if it takes too long."""
        key, point = (exact, float(p)), None
        if sum(of is exact for of, _ in self.slow) < MOST_SLOW:
            point = solve_within(self.limit, key, partial(self._at_once, exact, p))
            if point is None:
                self.slow.add(key)
        nothing = float("nan")
        none = (0,) * len(self.model.events)
        return point or Point(float(p), nothing, nothing, none, (0, 0), TIME_LIMIT)

    def _at_once(self, exact: bool, p: float) -> Point:
        rtol = EXACT if exact else self.rtol
        weight = 1.0 if exact else 0.0
        return self._solve(self._program(exact=exact), p, rtol, tangent_weight=weight)

    def _program(self, *, exact: bool) -> Program:
        hybrid = self.model.jumps or bool(self.model.events and switches(self.model))
        # Elsewhere both are one program, compiled once.
        options = StaticOptions(
            solver=self.solver, max_steps=self.max_steps, saltation=exact and hybrid
        )
        return program(self.model, options)

    def _solve(self, solve: Program, p: float, rtol: float, tangent_weight: float) -> Point:
        raw, _, _ = solve(
            np.array([self.model.t_end]),
            TracedOptions(rtol, self.atol_factor * rtol),
            control=Control(tangent_weight, 0.0, 1.0, self.model.parameter_scale[:1]),
            columns=np.arange(1),
            p=[p, *self.model.nominal[1:]],
        )
        names = [record.name for record in raw.event_records]
        first = self.model.observable_indices[0]
        status = status_of(raw)
        ok = status == "ok"
        return Point(
            p=float(p),
            value=float(raw.states[0, first]) if ok else float("nan"),
            gradient=float(raw.tangents[0, first, 0]) / self.scale if ok else float("nan"),
            counts=tuple(names.count(name) for name in self.model.events),
            decisions=(int(raw.accepted), int(raw.rejected)),
            status=status,
        )


def jumps(
    at: Callable[[float], Point],
    points: Sequence[Point],
    key: Callable[[Point], Hashable],
    *,
    width: float,
) -> list[Jump]:
    """Where `key` changes between neighbours of `points`, bisected down to `width`.

    Solves that took too long are left out: nothing is known of their steps and events. One a pair
    of neighbours, though there may be more. With the width 0 the two points of a jump are
    neighbours in floating point.
    """
    return [
        _bisected(at, below, above, key, width)
        for below, above in pairwise(_in_time(points))
        if key(below) != key(above)
    ]


def largest_jump(at: Callable[[float], Point], points: Sequence[Point]) -> Jump | None:
    """The largest jump of J among changes of the solver's decisions along p; None without any.

    The changes are those next to `points` that lie evenly among all of them.
    """
    pairs = [
        (below, above)
        for below, above in pairwise(_in_time(points))
        if below.decisions != above.decisions
    ]
    if not pairs:
        return None
    even = np.linspace(0, len(pairs) - 1, CANDIDATES).astype(int)
    chosen = [pairs[k] for k in np.unique(even)]
    bisected = [_bisected(at, a, b, lambda point: point.decisions, 0.0) for a, b in chosen]
    bisected = [jump for jump in bisected if np.isfinite(jump.size)]
    return max(bisected, key=lambda jump: jump.size, default=None)


def _in_time(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if point.status != TIME_LIMIT]


def _bisected(
    at: Callable[[float], Point],
    below: Point,
    above: Point,
    key: Callable[[Point], Hashable],
    width: float,
) -> Jump:
    while above.p - below.p > width:
        middle = 0.5 * (below.p + above.p)
        if not below.p < middle < above.p:
            break
        centre = at(middle)
        if centre.status == TIME_LIMIT:
            break
        if key(centre) == key(below):
            below = centre
        else:
            above = centre
    return Jump(below, above)


def quotient_errors(
    sweep: Sweep, places: Sequence[float], exact: Sequence[float], steps: Sequence[float]
) -> Array:
    """Root mean square error of difference quotients over that of the exact slopes, (steps,)."""
    slopes = np.asarray(exact)
    size = np.sqrt(np.mean(slopes**2))
    errors = [
        [sweep.quotient(p, step) - slope for p, slope in zip(places, slopes, strict=True)]
        for step in steps
    ]
    relative: Array = np.sqrt(np.mean(np.square(errors), axis=1)) / size
    return relative


def roughness(p: Array, values: Array, exact: Array, degree: int = 15) -> Array:
    """What is left of the error of J after a smooth fit, a polynomial in p; the shape of p."""
    error = values - exact
    held = np.isfinite(error)
    if np.sum(held) <= degree:
        return np.full_like(error, np.nan)
    fit = np.polynomial.Polynomial.fit(p[held], error[held], degree)
    rough: Array = error - fit(p)
    return rough


def wrong_signs(slopes: Array, exact: Array) -> int:
    """How many of the slopes have not the sign of the exact ones, failures included."""
    return int(np.sum(np.sign(slopes) != np.sign(exact)))
