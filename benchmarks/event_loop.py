"""An event loop of its own: DOP853 of scipy, and the semantics of `gradaudit.Event` in plain numpy.

It shares no code with the solves of the package, so that the two can be compared. What it takes
from a model are its functions. Events are found on the dense output of a step; at a moment, those
that cross zero in their direction are pending, the one of the highest priority happens next, and
what its jump carries across zero is pending after it. Where equal priorities leave the order open,
several orders are followed, and different outcomes raise `OrderError`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import DOP853, Radau
from scipy.optimize import brentq

AHEAD = 1e-9  # of the window: where the side of a threshold is looked at
INNER = (0.25, 0.5, 0.75, 1.0)  # of a step: where signs are looked at
MOST_STEPS = 200_000
MOST_AT_ONCE = 10_000


class LoopError(Exception):
    """The solve has no result."""


class OrderError(LoopError):
    """The result depends on an order that the model leaves open."""


class NoNumberError(LoopError):
    """A jump has no result: too many executions are stored, or rounding decides it."""


@dataclass
class Functions:
    """A model's functions, compiled once, for any parameters."""

    model: Any
    names: list[str] = field(init=False)

    def __post_init__(self) -> None:
        model = self.model
        self.names = list(model.events)
        self.events = [model.events[name] for name in self.names]
        self.directions = np.array([event.direction for event in self.events])
        self.jumping = [i for i, event in enumerate(self.events) if event.jump is not None]
        states = list(model.states)
        self.assigned = [
            None if getattr(e, "assigns", None) is None else [states.index(s) for s in e.assigns]
            for e in self.events
        ]
        events, jumping = self.events, self.jumping

        def scalar(value: Any) -> Any:
            return jnp.asarray(value, jnp.float64).reshape(())

        def whens(t: Any, y: Any, p: Any) -> Any:
            return jnp.stack([scalar(event.when(t, y, p)) for event in events])

        def priority(event: Any, t: Any, y: Any, p: Any) -> Any:
            given = getattr(event, "priority", None)
            if given is None:
                return scalar(-math.inf)
            return scalar(given(t, y, p) if callable(given) else given)

        def effects(t: Any, y: Any, p: Any) -> Any:
            jumps = [jnp.asarray(events[i].jump(t, y, p)) for i in jumping]
            return jnp.stack(jumps), jnp.stack([priority(events[i], t, y, p) for i in jumping])

        self.rates = jax.jit(model.vector_field)
        self.whens = jax.jit(whens) if events else None
        self.effects = jax.jit(effects) if jumping else None
        self.initial = jax.jit(model.initial_state) if model.initial_state else None


class Loop:
    """One solve at parameters p."""

    def __init__(
        self, functions: Functions, p: Any, *, rtol: float, atol: Any, stiff: bool
    ) -> None:
        self.f, self.p = functions, np.asarray(p, dtype=float)
        self.t_end = functions.model.t_end
        self.delta = AHEAD * self.t_end
        self.options = {"rtol": rtol, "atol": atol}
        self.method = Radau if stiff else DOP853
        self.happened: list[tuple[str, float]] = []
        self.steps = 0

    def rates(self, t: float, y: Any) -> Any:
        return np.asarray(self.f.rates(t, y, self.p))

    def whens(self, t: float, y: Any) -> Any:
        return np.asarray(self.f.whens(t, y, self.p)) if self.f.whens else np.empty(0)

    def solve(self, times: Any) -> Any:
        """The states at `times`, (T, n)."""
        f = self.f
        y = np.array(f.model.declared_state if f.initial is None else f.initial(self.p))
        states = np.full((len(times), len(y)), np.nan)
        t, row = 0.0, 0
        y = self._start(y)
        close = 1e-12 * self.t_end
        while True:
            while row < len(times) and times[row] <= t + close:
                states[row], row = y, row + 1
            if row == len(times):
                return states
            signs = self._ahead(t, y)
            t, y, row = self._advance(t, y, signs, times, states, row)

    def _ahead(self, t: float, y: Any) -> Any:
        return np.sign(self.whens(t + self.delta, y + self.delta * self.rates(t, y)))

    def _sides(self, t: float, y: Any) -> Any:
        """Values of all functions; where one is zero, its sign right behind."""
        g = self.whens(t, y)
        return np.where(g == 0.0, self._ahead(t, y), g)

    def _start(self, y: Any) -> Any:
        if not self.f.jumping:
            return y
        g = self.whens(0.0, y)
        after = self.whens(self.delta, y + self.delta * self.rates(0.0, y))
        triggered = [
            i
            for i in self.f.jumping
            if getattr(self.f.events[i], "at_start", True)
            and abs(g[i]) <= 1e-12 * self.t_end * abs(after[i] - g[i]) / self.delta
            and after[i] != g[i]
            and self.f.directions[i] * (after[i] - g[i]) >= 0
        ]
        return self._moment(0.0, y, triggered) if triggered else y

    def _advance(self, t: float, y: Any, signs: Any, times: Any, states: Any, row: int) -> Any:
        """To the next event, or to the end of the window."""
        end = times[-1]
        solver = self.method(
            self.rates, t, y, end, max_step=max(self.t_end / 50, 0.0), **self.options
        )
        begin = t + 2 * self.delta
        while solver.status == "running":
            message = solver.step()
            self.steps += 1
            if solver.status == "failed" or not np.all(np.isfinite(solver.y)):
                raise LoopError(f"the solver failed at t = {solver.t:.6g}: {message}")
            if self.steps > MOST_STEPS:
                raise LoopError(f"more than {MOST_STEPS} steps at t = {solver.t:.6g}")
            dense = solver.dense_output()
            root = self._first_root(dense, solver.t_old, solver.t, begin, signs)
            stop = solver.t if root is None else root
            close = 1e-12 * self.t_end
            while row < len(times) and times[row] <= (stop if root is None else stop - close):
                at_end = times[row] >= solver.t
                states[row] = solver.y if at_end else dense(times[row])
                row += 1
            if root is not None:
                before = dense(root)
                # Signs a little further on: what crosses at the same moment crosses with it.
                g = self.whens(root + self.delta, before + self.delta * self.rates(root, before))
                turned = np.flatnonzero((np.sign(g) != signs) & (signs != 0) & (np.sign(g) != 0))
                triggered = [
                    i
                    for i in turned
                    if self.f.directions[i] * np.sign(g[i]) >= 0 and i in self.f.jumping
                ]
                return root, self._moment(root, before, triggered), row
        return solver.t, solver.y, row

    def _first_root(self, dense: Any, old: float, new: float, begin: float, signs: Any) -> Any:
        if not len(signs):
            return None
        left = old
        for part in INNER:
            right = new if part == 1.0 else old + part * (new - old)
            if right <= begin:
                left = right
                continue
            g = self.whens(right, dense(right))
            crossed = np.flatnonzero(np.sign(g) * signs < 0)
            if len(crossed):
                low = max(left, begin)
                return min(self._root(dense, i, low, right, signs[i]) for i in crossed)
            left = right
        return None

    def _root(self, dense: Any, i: int, low: float, high: float, sign: float) -> float:
        def value(t: float) -> float:
            return float(self.whens(t, dense(t))[i])

        if value(low) * sign <= 0:
            return low
        return float(brentq(value, low, high, xtol=1e-15 * self.t_end, rtol=1e-15))

    def _moment(self, t: float, y: Any, triggered: list[int]) -> Any:
        if not triggered:
            return y
        first, widest = self._follow(t, y, triggered, 0, 0)
        for chosen in range(widest if widest > 1 else 0):
            for later in (0, -1):
                other, _ = self._follow(t, y, triggered, chosen, later)
                if not np.allclose(first, other, rtol=1e-9, atol=0.0, equal_nan=True):
                    raise OrderError(f"the order of events at t = {t:.6g} matters")
        return first

    def _follow(self, t: float, y: Any, triggered: list[int], chosen: int, later: int) -> Any:
        pending = [(i, y) for i in triggered]
        widest = count = 0
        while pending:
            jumps, priorities = (np.asarray(x) for x in self.f.effects(t, y, self.p))
            places = [self.f.jumping.index(i) for i, _ in pending]
            highest = max(priorities[k] for k in places)
            free = [j for j, k in enumerate(places) if priorities[k] == highest]
            take = free[0]
            if len(free) > 1:
                take = free[chosen % len(free)] if widest < 2 else free[later]
                widest = max(widest, len(free))
            i, seen = pending.pop(take)
            place = self.f.jumping.index(i)
            after = jumps[place]
            if self.f.assigned[i] is not None:
                new = np.asarray(self.f.effects(t, seen, self.p)[0])[place]
                after = y.copy()
                after[self.f.assigned[i]] = new[self.f.assigned[i]]
            g, h = self._sides(t, y), self._sides(t, after)
            for j in self.f.jumping:  # what is triggered again while it is pending happens twice
                across = g[j] * h[j] < 0 and self.f.directions[j] * h[j] >= 0
                if j != i and across:
                    pending.append((j, after))
            if not np.all(np.isfinite(after)):
                name = self.f.names[i]
                raise NoNumberError(f"event {name!r} gives a state that is no number, t = {t:.6g}")
            y = after
            self.happened.append((self.f.names[i], t))
            count += 1
            if count > MOST_AT_ONCE:
                raise LoopError(f"events trigger each other without end at t = {t:.6g}")
        return y, widest


def simulate(functions: Functions, p: Any, times: Any, *, rtol: float, atol: Any) -> Any:
    """The states at `times` (T, n), with an implicit method where the explicit one is too slow."""
    try:
        return Loop(functions, p, rtol=rtol, atol=atol, stiff=False).solve(times)
    except (OrderError, NoNumberError):
        raise
    except LoopError:
        return Loop(functions, p, rtol=rtol, atol=atol, stiff=True).solve(times)
