"""`steady_state`: the state in which a model comes to rest, with its sensitivities, certified."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.heyoka.precision import (
    LONG_DOUBLE,
    QUAD,
    Precision,
    available,
    multiple,
    to_extended,
    to_float64,
    to_quad,
)
from gradaudit.certification.steady_state.behind_events import settled
from gradaudit.certification.steady_state.conservation import Conservation, conservation
from gradaudit.certification.steady_state.long_run import EventOnTheWayError, LongRun
from gradaudit.certification.steady_state.rates import Rates
from gradaudit.certification.steady_state.root import Equations, Root, certified, newton
from gradaudit.certification.steady_state.stability import Stability, stability
from gradaudit.certification.steady_state.start_at_threshold import refuse_start_at_threshold
from gradaudit.certification.steady_state.thresholds import UNSURE, event_ahead
from gradaudit.certification.variational import initial_values
from gradaudit.errors import ModelError, TranslationError
from gradaudit.model.definition import Model
from gradaudit.records.results import Extended

Array = NDArray[np.float64]

PIECES = 3
"""Numbers of float64 whose sum is a number of quad precision."""
RESOLVED = 1e-14
"""Of the largest state: what is smaller in the long run is rounding, without a scale of its own."""
NEAR = 1e-6
"""Of the largest value of each state: how close the long run must come to the root."""
CERTIFIED = 1e-20
"""Of the scale of a state or sensitivity: the largest bound with which another solve may begin."""
ELSEWHERE = 1e-3
"""Of the largest value of each state: how far apart two runs to one steady state may be."""
MULTIPLE_BITS = 237
SHARES = (0.01, 0.3)  # of the time in a mode, where conservation laws are looked at again
APART = {
    Stability.UNSTABLE: "the states come close to a steady state that is unstable",
    Stability.UNDECIDED: (
        "the states are close to a point of rest that neither attracts nor repels what is near it, "
        "as the centre of oscillations"
    ),
}
"""Why no root is taken."""


@dataclass(frozen=True, kw_only=True)
class SteadyState:
    """A certified steady state.

    Attributes
    ----------
    pieces, slope_pieces
        State (3, n) and sensitivities (3, n, m) as sums of three float64 numbers each.
    row
        The same with bounds of the errors, as rows of one time. In quad precision it is there where
        the root was found in a finer one.
    precise
        Whether pieces and slopes are so precise that another solve may begin with them; behind an
        event they are not.
    laws
        Number of linear conservation laws.
    reached
        The time until which the long run was followed.
    """

    pieces: Array
    slope_pieces: Array
    row: Extended
    laws: int
    reached: float
    precise: bool = True
    refine: Callable[[], SteadyState] | None = field(default=None, compare=False, repr=False)

    def finer(self) -> SteadyState | None:
        """The same, wrong by less than what quad precision resolves; None where that is not found.

        All of it is computed again in numbers of twice the digits.
        """
        try:
            return self.refine() if self.refine is not None else None
        except ModelError:
            return None


def steady_state(
    model: Model, *, time_limit: float = 600.0, derivatives: bool = True
) -> SteadyState:
    """The steady state that a model reaches from its start, with derivatives by its parameters.

    The long run in double precision says which root of the rates it is. Newton's method makes it
    precise, the implicit function theorem gives the derivatives. Conserved quantities have their
    initial values. If an event happens on the way, a certified solve until nothing moves any more
    takes the place of all this.

    Parameters
    ----------
    time_limit
        Seconds for all.
    derivatives
        Whether the sensitivities are needed; otherwise they may mean nothing.

    Raises
    ------
    ModelError
        If there is no steady state, the rates depend on time, the steady state is not isolated
        beside conservation laws, it is unstable, or it cannot be certified; each with the reason.
    TranslationError
        If the vector field has something that cannot be differentiated exactly.
    """
    if derivatives:
        refuse_start_at_threshold(model)
    run, precision = LongRun(model, time_limit), _best()
    search = _Search(model, run, precision, derivatives)
    try:
        for t in run.stations():
            root = search.root(t)
            if root is not None:
                search.refuse_two_ways()
                refine = partial(search.again, root, t) if _twice() else None
                try:
                    return replace(_result(root, search, t), refine=refine)
                except ModelError:  # ill-conditioned: with twice the digits there are enough
                    if refine is None:
                        raise
                    return refine()
    except EventOnTheWayError as event:
        found = settled(model, event.time, max(run.deadline - time.perf_counter(), 1.0))
        if found is None:
            raise
        return _behind(*found)
    except ModelError as error:
        if search.varies:
            raise ModelError(f"there is no steady state: {search.why}.") from error
        raise
    raise ModelError(f"there is no steady state: {search.why or run.moving()}.")


class _Search:
    """Looks from the stations of a long run for the root at which it ends."""

    def __init__(self, model: Model, run: LongRun, precision: Precision, derivatives: bool) -> None:
        self.model, self.run, self.precision = model, run, precision
        self.derivatives = derivatives
        self.why, self.varies = "", False
        self.start, self.slopes = initial_values(model, precision)
        self._fine: dict[Any, Rates] = {}
        self._laws: dict[Any, Conservation] = {}

    def root(self, t: float) -> Root | None:
        """The root next to the state at a station, None where there is none yet."""
        run, largest = self.run, self.run.largest
        whole = float(largest.max(initial=0.0)) or 1.0
        self.scale = np.where(largest > RESOLVED * whole, largest, whole)
        self.varies = self._varies(t)
        if self.varies:
            return None
        rates, laws = self._compiled(t)
        equations = Equations(rates, t, laws, self.start, self.slopes, self.scale)
        y = newton(equations, self.precision.array(run.y), 4 * self.precision.eps)
        if y is None:
            self.why = self._singular(t)
            return None
        away = np.abs(to_float64(y) - run.y) / np.maximum(largest, 1e-7 * whole)
        if not np.all(away <= NEAR):
            self.why = run.moving()
            return None
        if np.any(run.rates.sides(t, to_float64(y)) != run.rates.sides(t, run.y)):
            self.why = "the states come to rest at a threshold, where the rates switch"
            return None
        if len(laws.laws) and not self._kept(t, laws):
            self.why = (
                "what is conserved in the end is not conserved on the way there, as the rates "
                "switch or depend on time"
            )
            return None
        slopes = rates.slopes(t, y[:, None])[0][0]
        found = stability(slopes, laws, self.scale, self.precision)
        if found != Stability.STABLE:
            self.why = APART[found]
            return None
        root = certified(equations, y)
        if root is None:
            self.why = self._singular(t)
        return root

    def refuse_two_ways(self) -> None:
        """Refuse if a start that is a little aside leads elsewhere.

        Beside the border between two steady states the errors of the long run decide, not the
        start.
        """
        run = self.run
        for side in (-1.0, 1.0):
            try:
                other = run.beside(side)
            except (ModelError, TranslationError):
                away = np.inf
            else:
                away = float((np.abs(other.y - run.y) / self.scale).max(initial=0.0))
            if not away <= ELSEWHERE:
                raise ModelError(
                    "the start is so close to the border between two ways, of which one leads to "
                    f"this steady state, that a change of it by {UNSURE:g} takes the other one."
                )

    def again(self, root: Root, t: float) -> SteadyState:
        """The root at a station in multiple precision."""
        finer = _Search(self.model, self.run, multiple(MULTIPLE_BITS), self.derivatives)
        finer.scale = self.scale
        rates, laws = finer._compiled(t)
        equations = Equations(rates, t, laws, finer.start, finer.slopes, self.scale)
        pieces = [finer.precision.array(piece) for piece in _split(root.values, self.precision)]
        y = newton(equations, sum(pieces[1:], pieces[0]), 4 * finer.precision.eps)
        found = None if y is None else certified(equations, y)
        if found is None:
            raise ModelError(f"there is no steady state in multiple precision: {self._singular(t)}")
        away = np.abs(to_float64(found.values) - to_float64(root.values)) / self.scale
        if len(laws.laws) != len(self.laws.laws) or not np.all(away <= NEAR):
            raise ModelError("the steady state in multiple precision is another one.")
        return _result(found, finer, t)

    def _compiled(self, t: float) -> tuple[Rates, Conservation]:
        mode = self.run.mode
        if mode not in self._fine:
            self._fine[mode] = Rates(self.run.reader, mode, self.precision)
            idle = (to_float64(self.start) == 0.0) & np.all(to_float64(self.slopes) == 0.0, axis=1)
            names = list(self.model.parameters) if self.derivatives else None
            self._laws[mode] = conservation(
                self._fine[mode], t, self.run.y, self.scale, idle, names
            )
        self.laws = self._laws[mode]
        return self._fine[mode], self.laws

    def _kept(self, t: float, laws: Conservation) -> bool:
        """Whether the laws hold on the whole way to a station."""
        ways = self.run.visited
        ends = [*(begin for _, begin in ways[1:]), t]
        return all(
            laws.hold(rates, begin + share * (end - begin))
            for (rates, begin), end in zip(ways, ends, strict=True)
            for share in SHARES
        )

    def _varies(self, t: float) -> bool:
        """Whether the rates are others later; that of rates that are so at all times ends it."""
        self.why = "the rates depend on time itself, and not through switches at fixed times only"
        if any(rates.timed for rates, _ in self.run.visited):
            self.varies = True
            raise ModelError(self.why)
        if self.run.rates.varies(t, self.run.y):
            return True
        event = event_ahead(self.model, t, self.run.y)
        if event is not None:
            self.why = f"the event {event!r} happens later, or may happen, whatever the states do"
        return event is not None

    def _singular(self, t: float) -> str:
        return (
            f"at t = {t:.3g} the Jacobian is singular beside {len(self.laws.laws)} conservation "
            "laws, so that the steady state is not isolated (it depends on the way to it, or "
            f"parameters are at a bifurcation), or {self.run.moving()}"
        )


def _best() -> Precision:
    if available(QUAD):
        return QUAD
    return multiple(MULTIPLE_BITS) if available(multiple(MULTIPLE_BITS)) else LONG_DOUBLE


def _twice() -> bool:
    """Whether there are numbers of twice the digits of quad precision, and these."""
    return available(QUAD) and available(multiple(MULTIPLE_BITS))


def _result(root: Root, search: _Search, t: float) -> SteadyState:
    scale, precision = search.scale, search.precision
    with np.errstate(divide="ignore", invalid="ignore"):
        natural = scale[:, None] / search.model.parameter_scale
        size = np.maximum(np.abs(to_float64(root.derivatives)), natural)
        share = max(
            float((root.value_bounds / scale).max(initial=0.0)),
            float((root.derivative_bounds / size).max(initial=0.0)),
        )
    if not share <= CERTIFIED:
        raise ModelError(
            f"the steady state is certified to {max(-np.log10(share), 0.0):.1f} digits only, as it "
            "is ill-conditioned: too few to begin another solve there."
        )
    row = _row(root, precision, LONG_DOUBLE)
    if precision.bits > QUAD.bits and available(QUAD) and share <= QUAD.eps:
        row = replace(row, quad=_row(root, precision, QUAD))
    return SteadyState(
        pieces=_split(root.values, precision),
        slope_pieces=_split(root.derivatives, precision),
        row=row,
        laws=len(search.laws.laws),
        reached=t,
    )


def _row(root: Root, precision: Precision, of: Precision) -> Extended:
    """A root rounded to long double or quad precision, with that in the bounds."""
    rounded = to_quad if of == QUAD else to_extended
    values, derivatives = rounded(root.values, precision), rounded(root.derivatives, precision)
    return Extended(
        states=values[None],
        sensitivities=derivatives[None],
        state_bounds=(root.value_bounds + of.eps * np.abs(to_float64(values)))[None],
        sensitivity_bounds=(root.derivative_bounds + of.eps * np.abs(to_float64(derivatives)))[
            None
        ],
    )


def _behind(found: Extended, t: float) -> SteadyState:
    """A steady state behind events, in long double precision."""
    return SteadyState(
        pieces=_split(found.states[0], LONG_DOUBLE),
        slope_pieces=_split(found.sensitivities[0], LONG_DOUBLE),
        row=replace(found, quad=None),
        laws=0,
        reached=t,
        precise=False,
    )


def _split(values: Any, precision: Precision) -> Array:
    """Numbers as sums of float64 numbers, along a new first axis."""
    pieces, rest = [], values
    for _ in range(PIECES):
        pieces.append(to_float64(rest))
        rest = rest - precision.array(pieces[-1])
    return np.stack(pieces)
