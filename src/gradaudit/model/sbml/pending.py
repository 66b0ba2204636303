"""Executions that are stored until they happen: a queue in auxiliary states.

A slot has the time of execution, or -1 where it is empty; the earliest comes first. Where there is
no delay, its one slot has 1 instead of a time, and 0 where it is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from gradaudit.model.sbml.decided import decided
from gradaudit.model.sbml.layout import Layout, Point
from gradaudit.model.sbml.plans import Plan

EMPTY = -1.0
ALIKE = 1e-12
"""Of the time: executions of one event so close to each other cannot be told apart."""

Jump = Callable[[Any, Any, Any], Any]


class Queue:
    """The executions of one event that are stored."""

    def __init__(self, layout: Layout, plan: Plan) -> None:
        self.layout, self.plan = layout, plan
        self.times = [time for time, _ in plan.slots]
        self.stored = [values for _, values in plan.slots]
        self.timed = plan.delay is not None

    @property
    def empty(self) -> dict[str, float]:
        """All slots without an execution."""
        entries = dict.fromkeys(self.times, EMPTY if self.timed else 0.0)
        return entries | {state: 0.0 for values in self.stored for state in values.values()}

    def when(self, t: Any, y: Any, p: Any) -> Any:
        """Rises through zero when the first execution is due."""
        first = jnp.asarray(y)[self.layout.index(self.times[0])]
        return jnp.asarray(t, jnp.float64) - first if self.timed else first - 0.5

    def add(self, t: Any, y: Any, p: Any) -> Any:
        """The jump when the event is triggered: an execution more."""
        point = Point(self.layout, t, y, p)
        slots = self.with_one(point, point.auxiliary)
        return point.vector(decided(self.layout, point, slots, self.plan.trigger.formulas))

    def with_one(self, point: Point, slots: dict[str, Any]) -> dict[str, Any]:
        """The slots with the execution that an event triggered at `point` has."""
        new = point.values(self.plan.trigger.assignments) if self.stored[0] else {}
        if self.plan.delay is None:
            once = jnp.where(slots[self.times[0]] > 0.5, jnp.nan, 1.0)
            return {self.times[0]: once, **{self.stored[0][v]: value for v, value in new.items()}}
        delay = jnp.asarray(self.plan.delay.value(point.scope), jnp.float64)
        full = slots[self.times[-1]] >= 0.0
        # Neither can be represented; a result without a number is refused by every solve.
        due = jnp.where((delay > 0.0) & jnp.logical_not(full), point.t + delay, jnp.nan)
        earlier = [(slots[time] >= 0.0) & (slots[time] <= due) for time in self.times]
        changed: dict[str, Any] = {}
        for place, (time, values) in enumerate(self.plan.slots):
            here = earlier[place - 1] if place else True
            moved = slots[self.times[place - 1]] if place else due
            changed[time] = jnp.where(earlier[place], slots[time], jnp.where(here, due, moved))
            for variable, state in values.items():
                moved = slots[self.stored[place - 1][variable]] if place else new[variable]
                inserted = jnp.where(here, new[variable], moved)
                changed[state] = jnp.where(earlier[place], slots[state], inserted)
        return changed

    def first(self, point: Point) -> dict[str, Any]:
        """The new values of the execution that is due."""
        if not self.stored[0]:
            return point.values(self.plan.trigger.assignments)
        return {v: point.auxiliary[state] for v, state in self.stored[0].items()}

    def without_first(self, point: Point) -> dict[str, Any]:
        """The slots when the first execution has happened."""
        if not self.timed:
            return {self.times[0]: 0.0}
        changed: dict[str, Any] = {}
        slots = [*self.plan.slots, None]
        for (time, values), following in zip(self.plan.slots, slots[1:], strict=True):
            changed[time] = point.auxiliary[following[0]] if following else EMPTY
            for variable, state in values.items():
                changed[state] = point.auxiliary[following[1][variable]] if following else 0.0
        if len(self.times) > 1:  # a second execution at the same time would never be due
            second = changed[self.times[0]]
            same = (second >= 0.0) & (second <= point.t * (1.0 + ALIKE))
            changed[self.times[0]] = jnp.where(same, jnp.nan, second)
        return changed

    def is_due(self, point: Point) -> Any:
        """Whether the execution has not been dropped."""
        first = point.auxiliary[self.times[0]]
        return first >= 0.0 if self.timed else first > 0.5

    def clear(self, t: Any, y: Any, p: Any) -> Any:
        """The jump that drops all executions."""
        return Point(self.layout, t, y, p).vector(
            dict.fromkeys(self.times, self.empty[self.times[0]])
        )
