"""The long run in double precision: where the dynamics lead to from the given start."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.discrete_modes import Reader
from gradaudit.certification.heyoka.precision import DOUBLE
from gradaudit.certification.steady_state.rates import Rates
from gradaudit.certification.steady_state.thresholds import HALVES, UNSURE, passed_over
from gradaudit.errors import ModelError
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state

Array = NDArray[np.float64]

RTOL, ATOL = 1e-9, 1e-14
MOST_STEPS = 15_000
DECADES = 18


class EventOnTheWayError(ModelError):
    """An event with a jump happens before the steady state is reached."""

    def __init__(self, name: str, t: float) -> None:
        super().__init__(
            f"the event {name!r} happens before the steady state is reached (about t = {t:.3g}), "
            "and the states behind it do not come to rest, or not with certificates."
        )
        self.time = t


AT_REST = 1e-6
"""Of its size: a state that would change by so little in as much time again is at rest."""


class LongRun:
    """A solve of the states without end.

    Attributes
    ----------
    t, y
        Where it is, and the state (n,).
    largest
        The largest absolute value of every state so far, (n,).
    rates
        The vector field in the mode of the state.
    visited
        The vector fields on the way, each with a time at which it was that.
    """

    def __init__(self, model: Model, time_limit: float) -> None:
        self.model, self.reader = model, Reader(model)
        self.deadline = time.perf_counter() + time_limit
        self.t, self.steps = 0.0, 0
        self.y: Array = np.asarray(initial_state(model, model.nominal), dtype=np.float64)
        self.start, self.pace = self.y.copy(), np.ones(len(self.y))
        self.largest = np.abs(self.y)
        self.rates = self._here()
        self.unit = self._unit()
        self._modes = {self.mode: self.rates}
        self._first = self.mode, self.rates
        self.visited: list[tuple[Rates, float]] = [(self.rates, 0.0)]
        self._triggers = _Triggers(model, lambda t, y: self.rates.rates(t, y[:, None])[:, 0])
        self._triggers.set(self.t, self.y)

    def _z(self) -> Array:
        return np.concatenate([self.y, np.zeros(self.reader.size - self.model.n)])

    def _here(self) -> Rates:
        self.mode = self.reader.mode_at(self.t, self._z())
        return Rates(self.reader, self.mode, DOUBLE)

    def _unit(self) -> float:
        """A size of states: that of the start, or what the rates make of it in their time."""
        whole = float(self.largest.max(initial=0.0))
        if whole > 0.0:
            return whole
        rates = np.abs(self.rates.rates(self.t, self.y[:, None])).max(initial=0.0)
        return float(rates / self.fastest) or 1.0

    @property
    def fastest(self) -> float:
        """The fastest rate of the linearised system here, 1 / `t_end` if it has none."""
        by_state = self.rates.slopes(self.t, self.y[:, None])[0][0]
        if not np.all(np.isfinite(by_state)):
            return 1.0 / self.model.t_end
        found = float(np.abs(np.linalg.eigvals(by_state)).max(initial=0.0))
        return found or 1.0 / self.model.t_end

    def stations(self) -> Iterator[float]:
        """Times, tenfold from one to the next, with the state reached at each.

        Raises
        ------
        ModelError
            If an event happens, a state is not finite, or there are too many steps.
        """
        span = 1.0 / self.fastest
        for _ in range(DECADES):
            span *= 10.0
            self._advance(span)
            yield self.t
        raise ModelError(f"there is no steady state: {self.moving()}.")

    def _advance(self, end: float) -> None:
        from scipy.integrate import BDF

        while self.t < end:
            solver = BDF(
                lambda t, y: self.pace * self.rates.rates(t, y[:, None])[:, 0],
                self.t,
                self.y,
                end,
                rtol=RTOL,
                atol=ATOL * max(float(self.largest.max(initial=0.0)), self.unit),
                jac=lambda t, y: self.pace[:, None] * self.rates.slopes(t, y[:, None])[0][0],
            )
            side = self.rates.sides(self.t, self.y)
            while solver.status == "running":
                with np.errstate(all="ignore"), warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # a singular matrix makes the step shorter
                    try:
                        message = solver.step()
                    except ValueError as error:  # SciPy's, of a matrix that is not finite
                        raise ModelError(
                            f"the solve towards the steady state fails at t = {solver.t:.3g}: "
                            "the derivatives of the rates are not finite."
                        ) from error
                self.steps += 1
                if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
                    raise ModelError(
                        f"the solve towards the steady state fails at t = {solver.t:.3g}: "
                        f"{message or 'a state is not finite'}."
                    )
                self._check(solver.t)
                self._triggers.check(solver, self.largest)
                self.t, self.y = float(solver.t), np.array(solver.y)
                inside = self._passed_over(solver)
                if inside is not None or np.any(self.rates.sides(self.t, self.y) != side):
                    self.t, self.y = self._behind_first(side, solver, inside)
                    self.largest = np.maximum(self.largest, np.abs(self.y))
                    break
                self.largest = np.maximum(self.largest, np.abs(self.y))
            if np.any(self.rates.sides(self.t, self.y) != side):
                self._switch()

    def _passed_over(self, solver: Any) -> float | None:
        """A time in the last step at which a threshold is crossed that is not so at its end."""
        if self.rates.thresholds is None:
            return None
        found = _in_step(self.rates.thresholds.moving, solver, self.largest)
        return None if found is None else found[0]

    def _behind_first(self, side: Array, solver: Any, inside: float | None) -> tuple[float, Array]:
        """Just behind the first threshold that the last step has crossed.

        A step from the begin of a pulse to behind its end would leave its rates unseen. `inside` is
        a time at which one is known to be crossed, if not at the end.
        """
        along = solver.dense_output()
        before, behind = float(solver.t_old), float(solver.t if inside is None else inside)
        for _ in range(HALVES):
            middle = 0.5 * (before + behind)
            if np.any(self.rates.sides(middle, along(middle)) != side):
                behind = middle
            else:
                before = middle
        return behind, np.array(along(behind)) if behind < solver.t else np.array(solver.y)

    def beside(self, side: float) -> LongRun:
        """The same run to the same time, a little aside: of other starts, and as fast or slow.

        States that are 0 or stay where they are begin where they do: a flag is no amount. Where all
        is at rest it is so at any pace.
        """
        other = copy.copy(self)
        other.mode, other.rates = self._first
        moves = np.any(other.rates.slopes(0.0, self.start[:, None])[0][0] != 0.0, axis=1)
        moves |= other.rates.rates(0.0, self.start[:, None])[:, 0] != 0.0
        signs, paces = np.where(np.random.default_rng(11).random((2, len(moves))) < 0.5, -1.0, 1.0)
        other.pace = 1.0 + side * UNSURE * paces
        other.t, other.steps = 0.0, 0
        other.y = self.start * (1.0 + side * UNSURE * signs * moves)
        other.largest = np.abs(other.y)
        other.visited = [(other.rates, 0.0)]
        other._triggers = copy.copy(self._triggers)
        other._triggers.follow(lambda t, y: other.rates.rates(t, y[:, None])[:, 0])
        other._triggers.set(0.0, other.y)
        other._advance(self.t)
        return other

    def _switch(self) -> None:
        self.mode = self.reader.mode_at(self.t, self._z())
        if self.mode not in self._modes:
            self._modes[self.mode] = Rates(self.reader, self.mode, DOUBLE)
        self.rates = self._modes[self.mode]
        self.visited.append((self.rates, self.t))

    def _check(self, t: float) -> None:
        if self.steps > MOST_STEPS:
            raise ModelError(f"there is no steady state: {self.moving()} (after {t:.3g}).")
        if time.perf_counter() > self.deadline:
            raise ModelError("the time limit came before the steady state was reached.")

    def moving(self) -> str:
        """What moves most, in words."""
        speed = np.abs(self.rates.rates(self.t, self.y[:, None])[:, 0]) * self.t
        share = speed / np.where(self.largest > 0.0, self.largest, 1.0)
        if share.max() <= AT_REST:
            return (
                f"at t = {self.t:.3g} all states rest, but at no isolated, stable root of the "
                "rates: where they rest depends on the way to it, they slow down without "
                "end, or they began at an unstable steady state or at a centre of oscillations"
            )
        name = list(self.model.states)[int(np.argmax(share))]
        return (
            f"{name!r} still changes at t = {self.t:.3g}: it grows, oscillates, slows down, or is "
            "not yet at rest"
        )


def _in_step(moving: Any, solver: Any, largest: Array) -> tuple[float, int] | None:
    """What the last step passes over, if anything."""
    ends = float(solver.t_old), float(solver.t)
    return passed_over(moving, solver.dense_output(), ends, largest)


class _Triggers:
    """Events with a jump, of which none may happen on the way."""

    def __init__(self, model: Model, rates: Callable[[float, Array], Array]) -> None:
        self.names = [name for name, event in model.events.items() if event.jump is not None]
        self.model = model
        self.follow(rates)

    def follow(self, rates: Callable[[float, Array], Array]) -> None:
        """Look along the flow of these rates."""
        self._moving = _moving(self.model, self.names, rates) if self.names else None

    def set(self, t: float, y: Array) -> None:
        """The start."""
        if self._moving is not None:
            self._values = self._moving(t, y)[0]

    def check(self, solver: Any, largest: Array) -> None:
        """Refuse if an event has happened in the last step."""
        if self._moving is None:
            return
        t = float(solver.t)
        now = self._moving(t, solver.y)[0]
        for name, before, after in zip(self.names, self._values, now, strict=True):
            if before * after < 0.0 and self.model.events[name].direction * after >= 0.0:
                raise EventOnTheWayError(name, t)
        self._values = np.where(now == 0.0, self._values, now)
        inside = _in_step(self._moving, solver, largest)
        if inside is not None:  # there and back, so that it is crossed in both directions
            raise EventOnTheWayError(self.names[inside[1]], inside[0])


def _moving(model: Model, names: list[str], rates: Callable[[float, Array], Array]) -> Any:
    """The functions of events and their speeds along the flow, (E,) each, at a time and a state."""
    import jax
    import jax.numpy as jnp

    p = jnp.asarray(model.nominal)

    def values(t: Any, y: Any) -> Any:
        return jnp.stack(
            [jnp.asarray(model.events[name].when(t, y, p)).reshape(()) for name in names]
        )

    @jax.jit
    def both(t: Any, y: Any, f: Any) -> Any:
        return jax.jvp(values, (t, y), (jnp.ones_like(t), f))

    def moving(t: float, y: Array) -> tuple[Array, Array]:
        value, speed = both(np.float64(t), np.asarray(y, np.float64), rates(t, np.asarray(y)))
        return np.asarray(value), np.asarray(speed)

    return moving
