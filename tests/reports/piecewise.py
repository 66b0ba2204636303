"""The independent solution of a drawn model: Runge-Kutta in long double, from event to event.

Derivatives are difference quotients of such solutions. Nothing here comes from gradaudit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.integrate._ivp.dop853_coefficients import N_STAGES, A, B, C

from reports.grammar import Spec, jumped, margin, rates, value

LONG = np.longdouble
STEP = LONG(1) / 64
NEAR = 1e-14
H = LONG(2) ** -14  # of a parameter

_A = np.asarray(A, dtype=LONG)[:N_STAGES, :N_STAGES]
_B, _C = np.asarray(B, dtype=LONG), np.asarray(C, dtype=LONG)[:N_STAGES]


class UndefinedError(Exception):
    """The model has no solution that is defined: order, sliding, endless events, blow-up."""


class Truth(NamedTuple):
    """States (T, n), derivatives (T, n, m) with error bounds; NaN where there is no derivative.

    `degenerate` says of a solution that it begins on a threshold, or that a jump leads onto one.
    """

    states: np.ndarray
    derivatives: np.ndarray
    errors: np.ndarray
    degenerate: str


class Path:
    """One solution, and what happened along it."""

    def __init__(self, spec: Spec, p: Any) -> None:
        self.spec, self.p = spec, p
        self.y = np.array(spec.states, dtype=LONG)
        if spec.seed is not None:
            self.y[0] = p[spec.seed]
        self.t, self.degenerate = LONG(0), ""
        self.story: list[Any] = []
        self.margins = [*(s.where for s in spec.switches), *(j.where for j in spec.jumps)]
        count = len(spec.switches)
        self.modes = [True] * count
        start = self.signs()
        self.modes = [s >= 0 for s in start[:count]]
        hit = [k for k, s in enumerate(start) if s == 0]
        for k in hit:
            if self.margins[k].state is not None:
                self.degenerate = "begins on a threshold"
            start[k] = self._direction(k, before=True)
            if k < count:
                self.modes[k] = start[k] > 0
        self.sign = start
        self.story.append(tuple(self.sign[:count]))
        self.happen([k - count for k in hit if k >= count and self._passes(k, start[k])])

    def solve(self) -> np.ndarray:
        """The states at the observation times (T, n)."""
        seen = []
        clock = sorted(
            {LONG(v) for v in self.spec.times}
            | {self._level(w) for w in self.margins if w.state is None}
        )
        for stop in [c for c in clock if c <= self.spec.t_end]:
            if stop > 0:
                self._advance(stop)
            if float(stop) in self.spec.times and stop == LONG(float(stop)):
                seen.append(self.y.copy())
        return np.array(seen)

    def _level(self, where: Any) -> Any:
        if where.level[0] == "y":
            raise UndefinedError("a time that is a state")
        return LONG(value(where.level, self.y, self.p))

    def signs(self) -> list[float]:
        found = [margin(w, self.t, self.y, self.p) for w in self.margins]
        return [0.0 if abs(g) <= NEAR else float(np.sign(g)) for g in found]

    def _direction(self, k: int, *, before: bool = False) -> float:
        """The sign into which the flow carries a margin that is zero."""
        where = self.margins[k]
        if where.state is None:
            return 1.0
        slope = self._rates(self.t, self.y)[where.state]
        if abs(slope) < NEAR:
            raise UndefinedError("stands on a threshold" if before else "grazes")
        return float(np.sign(slope))

    def _passes(self, k: int, to: float) -> bool:
        return self.spec.jumps[k - len(self.modes)].direction * to >= 0

    def _rates(self, t: Any, y: Any) -> Any:
        return np.array(rates(np, self.spec, t, y, self.p, self.modes), dtype=LONG)

    def _stepped(self, h: Any) -> Any:
        K = np.empty((N_STAGES, len(self.y)), dtype=LONG)
        for s in range(N_STAGES):
            K[s] = self._rates(self.t + _C[s] * h, self.y + h * (_A[s, :s] @ K[:s]))
        y = self.y + h * (_B @ K)
        if not np.all(np.isfinite(y)) or np.max(np.abs(y)) > 1e6:
            raise UndefinedError("blows up")
        return y

    def _advance(self, stop: Any) -> None:
        for _ in range(4000):
            if self.t >= stop:
                return
            h = min(STEP, stop - self.t)
            y = self._stepped(h)
            hits = [k for k in range(len(self.margins)) if self._crossed(k, self.t + h, y)]
            if hits:
                h, y, hits = self._first(hits, h)
            self.t, self.y = (stop if h == stop - self.t else self.t + h), y
            if hits:
                self._cross(hits)
        raise UndefinedError("does not end")

    def _crossed(self, k: int, t: Any, y: Any) -> bool:
        g, where = margin(self.margins[k], t, y, self.p), self.margins[k]
        if where.state is None:  # clocks stop there exactly
            return self.sign[k] < 0 and t == self._level(where)
        return self.sign[k] * g < 0 and abs(g) > 0

    def _first(self, hits: list[int], h: Any) -> Any:
        times = {k: self._located(k, h) for k in hits}
        first = min(times.values())
        together = [k for k in hits if times[k] - first <= 1e-13]
        return first, self._stepped(first), together

    def _located(self, k: int, h: Any) -> Any:
        if self.margins[k].state is None:
            return h
        low, high = LONG(0), h
        for _ in range(40):  # bisection first, as it cannot fail, and then secants
            middle = (low + high) / 2
            g = margin(self.margins[k], self.t + middle, self._stepped(middle), self.p)
            low, high = (middle, high) if g * self.sign[k] > 0 else (low, middle)
            if high - low < 1e-6:
                break
        for _ in range(4):
            ga, gb = (
                margin(self.margins[k], self.t + x, self._stepped(x), self.p) for x in (low, high)
            )
            if ga == gb:
                break
            new = min(max(low - ga * (high - low) / (gb - ga), LONG(0)), h)
            if new == high:
                break
            low, high = high, new
        return high

    def _cross(self, hits: list[int]) -> None:
        count = len(self.modes)
        for k in hits:
            self.sign[k] = -self.sign[k]
            if k < count:
                self.modes[k] = self.sign[k] > 0
        self.story.append(("cross", tuple(hits)))
        for k in hits:
            if self.margins[k].state is not None and self._direction(k) != self.sign[k]:
                raise UndefinedError("slides")
        self.happen([k - count for k in hits if k >= count and self._passes(k, self.sign[k])])

    def happen(self, triggered: list[int]) -> None:
        """Let the jumps of a moment happen, in every order that is open."""
        if not triggered:
            return
        y = self._ordered(triggered, first=True)
        other = self._ordered(triggered, first=False)
        if not np.allclose(y[0].astype(float), other[0].astype(float), rtol=1e-12, atol=1e-300):
            raise UndefinedError("depends on the order")
        self.y, done = y
        self.story.append(("jumps", tuple(sorted(done))))
        count, old = len(self.modes), self.sign
        self.sign = self.signs()
        for k, s in enumerate(self.sign):
            if s == 0.0:
                moved = self.margins[k].state in {self.spec.jumps[d].of for d in done}
                self.sign[k] = old[k] if not moved else self._direction(k)
                if moved:
                    self.degenerate = self.degenerate or "a jump leads onto a threshold"
            if k < count:
                self.modes[k] = self.sign[k] > 0
        self.story.append(tuple(self.sign))

    def _ordered(self, triggered: list[int], *, first: bool) -> Any:
        y, done = self.y.copy(), []
        pending = {k: self.y.copy() for k in triggered}
        while pending:
            if len(done) > 20:
                raise UndefinedError("endless")
            ranks = {k: self.spec.jumps[k].priority for k in pending}
            best = max((-np.inf if r is None else r) for r in ranks.values())
            open_ = [k for k, r in ranks.items() if (-np.inf if r is None else r) == best]
            k = open_[0] if first else open_[-1]
            seen, jump = pending.pop(k), self.spec.jumps[k]
            new = y.copy()
            new[jump.of] = jumped(jump, seen if jump.assigns else y, self.p)
            for other, rival in enumerate(self.spec.jumps):
                a, b = (margin(rival.where, self.t, z, self.p) for z in (y, new))
                if other != k and a * b < 0 <= rival.direction * b:
                    pending.setdefault(other, new.copy())
            y, done = new, [*done, k]
        return y, done


def truth(spec: Spec) -> Truth:
    """States and derivatives; raises UndefinedError."""
    p = np.array(spec.parameters, dtype=LONG)
    path = Path(spec, p)
    nominal, story = path.solve(), path.story
    columns, errors = [], []
    for j, v in enumerate(p):
        h = H * (abs(v) or 1) if abs(v) > 1e-3 or v == 0 else abs(v) / 128
        rows = {}
        for k in (-2, -1, 1, 2):
            moved = p.copy()
            moved[j] += k * h
            h_ = (moved[j] - v) / k
            rows[k] = _solved(spec, moved)
        y = {k: r[0] for k, r in rows.items()}
        if all(r[1] == story for r in rows.values()):
            one, two = (y[1] - y[-1]) / (2 * h_), (y[2] - y[-2]) / (4 * h_)
            columns.append((4 * one - two) / 3)
            rounding = 1e-17 / abs(h_)
            errors.append(1e-2 * np.abs(one - two) + (1e-12 + rounding) * (np.abs(nominal) + 1))
            continue
        up = (4 * y[1] - y[2] - 3 * nominal) / (2 * h_)
        down = -(4 * y[-1] - y[-2] - 3 * nominal) / (2 * h_)
        rough = np.abs(up - (y[1] - nominal) / h_) + np.abs(down + (y[-1] - nominal) / h_)
        agree = np.abs(up - down) <= 1e-3 * (np.abs(up) + np.abs(down)) + 1e-6
        columns.append(np.where(agree, up, np.nan))
        errors.append(0.1 * rough + np.abs(up - down) + 1e-10 + 1e-17 / abs(h_))
    stack = [np.moveaxis(np.array(a), 0, -1).astype(float) for a in (columns, errors)]
    return Truth(nominal.astype(float), *stack, path.degenerate)


def _solved(spec: Spec, p: Any) -> tuple[np.ndarray, list[Any]]:
    path = Path(spec, p)
    return path.solve(), path.story
