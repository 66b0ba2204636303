"""What happens at t = 0: events whose conditions are true there, and not before.

Which events that are, and in which order, is found at the nominal parameters. The initial state is
then a function of the parameters through all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.errors import ModelError, first_few
from gradaudit.model.sbml.conditions import Atom
from gradaudit.model.sbml.equations import Lookup, initial_state, vector_field
from gradaudit.model.sbml.layout import Layout, Point
from gradaudit.model.sbml.memory import Memory, along_flow
from gradaudit.model.sbml.pending import Queue
from gradaudit.model.sbml.plans import Plan, is_zero
from gradaudit.model.sbml.selection import initial_value
from gradaudit.model.sbml.system import System
from gradaudit.model.sbml.triggers import Trigger

MOST_EVENTS = 1000
AT_THRESHOLD = 1e-13
"""Of the larger side: so close to its threshold a comparison counts as at it."""


StartOf = Callable[[System, Callable[[Any], Any]], Callable[[Any], Any]]
"""From the system and the initial state y0(p) of the file, the one that is used."""


@dataclass
class Beginning:
    """What happens at t = 0.

    Attributes
    ----------
    happened
        Events in their order, each with how many had happened when its values were taken.
    waiting
        Stored executions by event: how many events had happened when they were triggered.
    holding
        The truth of each condition after all of it.
    late
        Events that are false and exactly at their threshold after all of it.
    """

    happened: list[tuple[Trigger, int]] = field(default_factory=list)
    waiting: dict[str, list[int]] = field(default_factory=dict)
    holding: dict[str, bool] = field(default_factory=dict)
    late: dict[str, bool] = field(default_factory=dict)


class Start:
    """The initial state of a model with events."""

    def __init__(
        self,
        layout: Layout,
        found: list[Trigger],
        plans: list[Plan],
        p: Any,
        instead: StartOf | None = None,
    ) -> None:
        self.layout, self.found, self.plans, self.p = layout, found, plans, p
        # Auxiliary states have no part in what formulas mean.
        self.bare = Layout(layout.system)
        declared = initial_state(layout.system)
        self._declared = declared if instead is None else instead(layout.system, declared)
        self.beginning = self._followed(0)
        other = self._followed(-1)
        first, second = (self.states(p, b.happened)[-1] for b in (self.beginning, other))
        if not np.allclose(first, second, rtol=1e-12, atol=0.0):
            names = first_few(trigger.name for trigger, _ in self.beginning.happened)
            raise ModelError(
                f"the events {names} happen together at t = 0, and the state after them depends on "
                "their order, which the file leaves open. Give them priorities."
            )

    def states(self, p: Any, happened: list[tuple[Trigger, int]]) -> list[Any]:
        """The states before all events and after each of them."""
        found = [self._declared(p)]
        for trigger, since in happened:
            found.append(self._after(trigger, found[since], found[-1], p))
        return found

    def _after(self, trigger: Trigger, seen: Any, now: Any, p: Any) -> Any:
        """The state after an event, with its values from the state `seen`."""
        new = Point(self.bare, 0.0, seen, p).values(trigger.assignments)
        return Point(self.bare, 0.0, now, p).assigned(new).y

    def initial_state(self, memory: Memory) -> Any:
        """y0(p) -> (n,), with auxiliary states."""
        beginning = self.beginning

        def start(p: Any) -> Any:
            states = self.states(p, beginning.happened)
            entries: dict[str, Any] = dict(memory.truths(beginning.holding))
            for plan in self.plans:
                if not plan.slots:
                    continue
                queue = Queue(self.layout, plan)
                slots: dict[str, Any] = dict(queue.empty)
                for since in beginning.waiting.get(plan.trigger.name, []):
                    slots |= queue.with_one(Point(self.bare, 0.0, states[since], p), slots)
                entries |= slots
            auxiliary = [jnp.asarray(entries[n], jnp.float64) for n in self.layout.auxiliary]
            return jnp.concatenate([states[-1], jnp.stack(auxiliary)]) if auxiliary else states[-1]

        return start

    def _followed(self, choice: int) -> Beginning:
        """What happens, with the first or the last of those whose order is open."""
        result = Beginning()
        holding = {trigger.name: trigger.at_start for trigger in self.found}
        pending: list[tuple[Trigger, int]] = []
        states = [self._declared(self.p)]
        while True:
            y = states[-1]
            scope = Lookup(self.layout.system, 0.0, y, self.p)
            count = len(result.happened)
            for trigger in self.found:
                true = self._truth(trigger, scope, result)
                if true and not holding[trigger.name]:
                    if self._delayed(trigger, scope):
                        result.waiting.setdefault(trigger.name, []).append(count)
                    else:
                        pending.append((trigger, count))
                if not true and not trigger.persistent:
                    pending = [item for item in pending if item[0] is not trigger]
                    result.waiting.pop(trigger.name, None)
                holding[trigger.name] = true
            if not pending:
                break
            if count > MOST_EVENTS:
                raise ModelError("the events at t = 0 trigger each other without end.")
            ranks = [_rank(trigger, scope) for trigger, _ in pending]
            free = [i for i, rank in enumerate(ranks) if rank == max(ranks)]
            trigger, since = pending.pop(free[choice])
            since = since if trigger.early else count
            result.happened.append((trigger, since))
            states.append(self._after(trigger, states[since], y, self.p))
        result.holding = holding
        for trigger in self.found:
            result.late[trigger.name] = self._is_late(trigger, y, holding[trigger.name])
        return result

    def _truth(self, trigger: Trigger, scope: Lookup, result: Beginning) -> bool:
        """The truth of a condition at t = 0, where no small change of a parameter alters it."""
        holds = bool(trigger.condition.holds(scope))
        for atom in trigger.condition.atoms:
            if atom.equality or not _at_threshold(atom, scope):
                continue

            def other(asked: Atom, atom: Atom = atom) -> Any:
                here = asked.holds(asked.difference(scope))
                return not here if asked is atom else here

            if bool(trigger.condition.evaluate(other)) == holds:
                continue

            def difference(p: Any, atom: Atom = atom) -> Any:
                y = self.states(p, result.happened)[-1]
                return atom.difference(Lookup(self.layout.system, 0.0, y, p))

            slopes = np.asarray(jax.grad(difference)(self.p))
            if np.any(slopes != 0.0):
                system = self.layout.system
                moving = [
                    initial_value(name) if name in system.states else name
                    for name, slope in zip(system.parameters, slopes, strict=True)
                    if slope != 0.0
                ]
                raise ModelError(
                    f"event {trigger.name!r} is exactly at its threshold {atom.text!r} at t = 0, "
                    f"and the threshold depends on {first_few(moving)}, so that derivatives are "
                    "one-sided. Change a value in the file a little, or keep these parameters as "
                    "constants by `fixed`."
                )
        return holds

    def _delayed(self, trigger: Trigger, scope: Lookup) -> bool:
        if is_zero(trigger.delay):
            return False
        assert trigger.delay is not None
        delay = float(trigger.delay.value(scope))
        if not delay > 0.0:
            raise ModelError(
                f"event {trigger.name!r} is triggered at t = 0 with the delay {delay:g}; a delay "
                "that is a formula must be positive."
            )
        return True

    def _is_late(self, trigger: Trigger, y: Any, holds: bool) -> bool:
        """Whether a condition is false at t = 0, and may become true right behind it."""
        rates = vector_field(self.layout.system)
        point = Point(self.bare, 0.0, y, self.p)
        late = False
        for atom in trigger.condition.atoms:
            moves = not atom.equality and self.layout.system.moves(atom.names)
            if not moves or not _at_threshold(atom, point.scope):
                continue
            late = late or not holds
            slopes = [float(s) for s in _derivatives(self.layout, atom, point, rates)]
            if slopes[0] == 0.0 and any(s != 0.0 for s in slopes):
                raise ModelError(
                    f"event {trigger.name!r} is exactly at its threshold {atom.text!r} at t = 0, "
                    "and leaves it with the rate 0; this is not supported. Change the threshold a "
                    "little."
                )
        return late


def _rank(trigger: Trigger, scope: Lookup) -> float:
    return -np.inf if trigger.priority is None else float(trigger.priority.value(scope))


def _at_threshold(atom: Atom, scope: Lookup) -> bool:
    value, size = float(atom.difference(scope)), float(atom.size(scope))
    return abs(value) <= AT_THRESHOLD * size


def _derivatives(layout: Layout, atom: Atom, point: Point, rates: Any) -> tuple[Any, Any, Any]:
    """The first three derivatives of a difference along the flow."""

    def first(t: Any, y: Any) -> Any:
        return along_flow(layout, atom, Point(Layout(layout.system), t, y, point.p), rates)[1]

    def along(function: Any) -> Any:
        def derivative(t: Any, y: Any) -> Any:
            return jax.jvp(function, (t, y), (jnp.ones_like(t), rates(t, y, point.p)))[1]

        return derivative

    second = along(first)
    here = (jnp.zeros(()), point.y)
    return first(*here), second(*here), along(second)(*here)
