"""Thresholds of switches and events along a long run: what lies ahead, and what a step passes over.

A step may begin and end on one side of a threshold and be on the other side in between, as a state
is whose maximum lies just beyond it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.certification.heyoka import elementwise
from gradaudit.certification.heyoka.branch_choices import Switches
from gradaudit.certification.heyoka.interpreter import Interpreter
from gradaudit.certification.heyoka.precision import DOUBLE
from gradaudit.certification.heyoka.translate import read, state_variables
from gradaudit.certification.saltation import compiled
from gradaudit.errors import ModelError
from gradaudit.model.definition import Model

Array = NDArray[np.float64]
Along = Callable[[float], Any]

HALVES = 40
"""Of a step, to the place in it that is looked for."""
UNSURE = 1e-7
"""Of the largest value of each state: how wrong a long run may be."""


class Thresholds:
    """Functions g(t, y, p) that are zero at thresholds, at the nominal parameters.

    Parameters
    ----------
    rows, rates
        The functions, (E,), and the rates of the states, (n,), as expressions.
    arguments
        The variables t, y and p of these.
    parameters
        The nominal values, (m,).

    Attributes
    ----------
    timed
        Whether time is in one of them other than linearly: it may be crossed whenever one does not
        look, as sin(t) > 0.9999 is.
    """

    def __init__(
        self,
        rows: list[hy.expression],
        rates: list[hy.expression],
        arguments: list[hy.expression],
        parameters: Array,
    ) -> None:
        t, states = arguments[0], arguments[1 : 1 + len(rates)]
        by_time = [hy.diff(row, t) for row in rows]
        speeds = [
            sum((hy.diff(row, y) * f for y, f in zip(states, rates, strict=True)), start)
            for row, start in zip(rows, by_time, strict=True)
        ]
        self.timed = any("t" in hy.get_variables(slope) for slope in by_time)
        self.count, self.parameters = len(rows), parameters
        self._function = compiled([*rows, *by_time, *speeds], arguments, DOUBLE) if rows else None

    def _parts(self, t: float, y: Array) -> Array:
        if self._function is None:
            return np.zeros((3, 0))
        values = self._function(np.concatenate([[t], y, self.parameters]))
        return values.astype(np.float64).reshape(3, self.count)

    def values(self, t: float, y: Array) -> Array:
        """g, (E,), at a time and a state (n,)."""
        found: Array = self._parts(t, y)[0]
        return found

    def moving(self, t: float, y: Array) -> tuple[Array, Array]:
        """g, and d/dt of it along the flow, (E,) each."""
        values, _, speeds = self._parts(t, y)
        return values, speeds

    def ahead(self, t: float, y: Array) -> Array:
        """On which side each is later than t where the state stays; 0 where it stays, (E,)."""
        values, by_time, _ = self._parts(t, y)
        with np.errstate(invalid="ignore"):
            crossed = np.isfinite(values) & (np.sign(values) != np.sign(by_time))
        found: Array = np.where(crossed, np.sign(by_time), 0.0)
        return found


def of_events(model: Model, t: float, y: Array) -> tuple[list[str], Thresholds]:
    """Names and thresholds of the events with a jump, on the branches on which a point is."""
    n, p = model.n, [hy.expression(f"p{j}") for j in range(model.m)]
    arguments = [hy.expression("t"), *state_variables(model)[:n], *p]
    names, rows = [name for name, own in model.events.items() if own.jump is not None], []
    for name in names:
        where = f"model {model.name!r}: events[{name!r}].when"
        jaxpr = trace(model.events[name].when, [None, n, model.m], where)
        here = Switches(given=None)
        numbers = [float(t), [float(x) for x in y], [float(x) for x in model.nominal]]
        read(jaxpr, numbers, Interpreter(DOUBLE, where, here))
        symbols = [arguments[0], arguments[1 : 1 + n], p]
        given = Switches(given=tuple(here.taken))
        rows.append(
            elementwise.lift(
                np.asarray(read(jaxpr, symbols, Interpreter(DOUBLE, where, given))).reshape(-1)[0]
            )
        )
    rest = [hy.expression(0.0) for _ in range(n)]
    return names, Thresholds(rows, rest, arguments, np.asarray(model.nominal, dtype=np.float64))


def event_ahead(model: Model, t: float, y: Array) -> str | None:
    """The name of an event that happens, or may happen, later where the state stays as it is."""
    names, own = of_events(model, t, y)
    if own.timed:
        return next(name for name in names if of_events(_only(model, name), t, y)[1].timed)
    for name, side in zip(names, own.ahead(t, y), strict=True):
        if side and model.events[name].direction * side >= 0:
            return name
    return None


def _only(model: Model, name: str) -> Model:
    return replace(model, events={name: model.events[name]})


def passed_over(
    moving: Callable[[float, Array], tuple[Array, Array]],
    along: Along,
    ends: tuple[float, float],
    largest: Array,
) -> tuple[float, int] | None:
    """Where, in a step, a threshold is crossed that has the same side at both ends, and which.

    Parameters
    ----------
    moving
        The functions and their speeds, (E,) each, at a time and a state.
    along
        The states within the step.
    largest
        The largest absolute value of every state so far, (n,).

    Raises
    ------
    ModelError
        If a function comes so close to zero that its side there is not known.
    """
    (one, speed), (two, later) = (moving(at, np.asarray(along(at))) for at in ends)
    turns = (one * two > 0.0) & (one * speed < 0.0) & (two * later > 0.0)
    found: list[tuple[float, int]] = []
    for k in np.flatnonzero(turns):
        before, behind = ends
        for _ in range(HALVES):
            middle = 0.5 * (before + behind)
            value, slope = (part[k] for part in moving(middle, np.asarray(along(middle))))
            if value * one[k] <= 0.0:
                break
            if slope * speed[k] > 0.0:
                before = middle
            else:
                behind = middle
        y = np.asarray(along(middle))
        signs = np.where(np.random.default_rng(7).random((6, len(y))) < 0.5, -1.0, 1.0)
        unsure = max(abs(moving(middle, y + UNSURE * largest * way)[0][k] - value) for way in signs)
        if abs(value) > unsure:
            if value * one[k] < 0.0:
                found.append((middle, int(k)))
        elif max(abs(one[k]), abs(two[k])) > unsure:
            raise ModelError(
                f"on the way to the steady state a threshold is touched about t = {middle:.6g}, or "
                "crossed for so short a time that rounding decides. Change a value a little."
            )
    return min(found, default=None)
