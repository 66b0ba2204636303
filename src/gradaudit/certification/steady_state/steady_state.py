"""`steady_state`: the state in which a model comes to rest, with its sensitivities, certified."""

from __future__ import annotations

import time
from dataclasses import dataclass
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
)
from gradaudit.certification.steady_state.behind_events import settled
from gradaudit.certification.steady_state.conservation import Conservation, conservation
from gradaudit.certification.steady_state.long_run import EventOnTheWayError, LongRun
from gradaudit.certification.steady_state.rates import Rates
from gradaudit.certification.steady_state.root import Equations, Root, certified, newton
from gradaudit.certification.steady_state.start_at_threshold import refuse_start_at_threshold
from gradaudit.certification.variational import initial_values
from gradaudit.errors import ModelError
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
MULTIPLE_BITS = 237
LATER = (1.37, 17.0, 1003.0)  # times that of the long run, at which rates must be the same
SHARES = (0.01, 0.3)  # of the time in a mode, where conservation laws are looked at again
UNSTABLE = 1e-9  # of the fastest rate


@dataclass(frozen=True, kw_only=True)
class SteadyState:
    """A certified steady state.

    Attributes
    ----------
    pieces, slope_pieces
        State (3, n) and sensitivities (3, n, m) as sums of three float64 numbers each.
    states, sensitivities
        The same in long double, (n,) and (n, m).
    state_bounds, sensitivity_bounds
        Bounds of the absolute errors of `states` and `sensitivities`, rounding included.
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
    states: Any
    sensitivities: Any
    state_bounds: Array
    sensitivity_bounds: Array
    laws: int
    reached: float
    precise: bool = True


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
                return _result(root, search.scale, model, len(search.laws.laws), t)
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
        if not self._stable(t, to_float64(y), laws):
            self.why = "the states come close to a steady state that is unstable"
            return None
        found = certified(equations, y)
        if found is None:
            self.why = self._singular(t)
        return found

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
        """Whether the rates are others later, at the same state."""
        run = self.run
        here = [run.rates.rates(t, run.y[:, None]), *run.rates.slopes(t, run.y[:, None])]
        for factor in LATER:
            later = factor * t
            there = [
                run.rates.rates(later, run.y[:, None]),
                *run.rates.slopes(later, run.y[:, None]),
            ]
            same = all(np.array_equal(a, b) for a, b in zip(here, there, strict=True))
            if not same or np.any(run.rates.sides(later, run.y) != run.rates.sides(t, run.y)):
                self.why = (
                    "the rates depend on time itself, and not through switches at fixed times only"
                )
                return True
        return False

    def _stable(self, t: float, y: Array, laws: Conservation) -> bool:
        rates, of = self.run.rates, laws.independent
        if not of:
            return True
        J = rates.slopes(t, y[:, None])[0][0]
        others = [i for i in range(rates.n) if i not in of]
        own = J[np.ix_(of, of)]
        if others:  # a law has 1 at one of the others, and none at the rest of them
            L = to_float64(laws.laws)
            order = [int(np.argmax(L[k, others] != 0.0)) for k in range(len(L))]
            follow = np.zeros((len(others), len(of)))
            follow[order] = -L[:, of] / L[range(len(L)), np.array(others)[order]][:, None]
            own = own + J[np.ix_(of, others)] @ follow
        scale = self.scale[of]
        values = np.linalg.eigvals(own * scale / scale[:, None])
        return bool(values.real.max() <= UNSTABLE * np.abs(values).max())

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


def _result(root: Root, scale: Array, model: Model, laws: int, t: float) -> SteadyState:
    with np.errstate(divide="ignore", invalid="ignore"):
        natural = scale[:, None] / model.parameter_scale
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
    values, precision = root.values, _best()
    unit = float(np.finfo(np.longdouble).eps)
    states, slopes = to_extended(values, precision), to_extended(root.derivatives, precision)
    return SteadyState(
        pieces=_split(values, precision),
        slope_pieces=_split(root.derivatives, precision),
        states=states,
        sensitivities=slopes,
        state_bounds=root.value_bounds + unit * np.abs(states).astype(np.float64),
        sensitivity_bounds=root.derivative_bounds + unit * np.abs(slopes).astype(np.float64),
        laws=laws,
        reached=t,
    )


def _behind(found: Extended, t: float) -> SteadyState:
    """A steady state behind events, in long double precision."""
    return SteadyState(
        pieces=_split(found.states[0], LONG_DOUBLE),
        slope_pieces=_split(found.sensitivities[0], LONG_DOUBLE),
        states=found.states[0],
        sensitivities=found.sensitivities[0],
        state_bounds=found.state_bounds[0],
        sensitivity_bounds=found.sensitivity_bounds[0],
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
