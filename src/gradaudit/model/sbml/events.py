"""The events of a model from the events of an SBML file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp

from gradaudit.model.definition import Event
from gradaudit.model.sbml.decided import decided
from gradaudit.model.sbml.equations import Lookup
from gradaudit.model.sbml.formula import Value
from gradaudit.model.sbml.layout import Field, Layout, Point
from gradaudit.model.sbml.memory import Memory
from gradaudit.model.sbml.pending import Queue
from gradaudit.model.sbml.plans import Plan
from gradaudit.model.sbml.system import System

FIRST = math.inf
"""Priority of what keeps the books: conditions and stored executions, before any assignment."""


def jumps(
    layout: Layout, plans: list[Plan], memory: Memory, late: Mapping[str, bool]
) -> dict[str, Event]:
    """All events with a jump.

    Parameters
    ----------
    late
        For each event of the file whether it is false at t = 0 and exactly at its threshold, so
        that it happens there if its difference rises.
    """
    events: dict[str, Event] = {}
    for atom, users in memory.differences().values():
        name = f"threshold: {atom.text}"
        events[_free(name, events)] = Event(
            when=function(layout, atom.difference), jump=memory.crossed(users), priority=FIRST
        )
    for plan in plans:
        events |= _events(layout, plan, memory, at_start=late[plan.trigger.name])
    return events


def _events(layout: Layout, plan: Plan, memory: Memory, *, at_start: bool) -> dict[str, Event]:
    name, rises = plan.trigger.name, _rises(layout, plan)
    rank = None
    if plan.trigger.priority is not None:
        rank = function(layout, plan.trigger.priority.value)
    if not plan.slots:
        changed = layout.system.changed_by(plan.trigger.assignments)
        only = tuple(s for s in layout.system.states if s in changed)
        jump = _direct(layout, plan, memory)
        return {
            name: Event(
                when=rises,
                direction=1,
                jump=jump,
                priority=rank,
                assigns=only if plan.assigns else None,
                at_start=at_start,
            )
        }
    queue = Queue(layout, plan)
    events = {
        f"{name}: triggered": Event(
            when=rises, direction=1, jump=queue.add, priority=FIRST, at_start=at_start
        ),
        name: Event(
            when=queue.when,
            direction=1,
            jump=_stored(layout, plan, memory, queue),
            priority=rank,
            at_start=False,
        ),
    }
    if plan.checks:
        events[f"{name}: dropped"] = Event(
            when=rises, direction=-1, jump=queue.clear, priority=FIRST, at_start=False
        )
    return events


def _rises(layout: Layout, plan: Plan) -> Field:
    """What rises through zero where the condition becomes true."""
    if plan.memory:
        entry = layout.entry(plan.memory)
        return lambda t, y, p: entry(t, y, p) - 0.5
    atom = plan.trigger.condition.single
    assert atom is not None
    return function(layout, atom.oriented)


def _direct(layout: Layout, plan: Plan, memory: Memory) -> Callable[[Any, Any, Any], Any]:
    assignments = plan.trigger.assignments

    def jump(t: Any, y: Any, p: Any) -> Any:
        point = Point(layout, t, y, p)
        new = decided(layout, point, point.values(assignments), assignments.values())
        after = point.assigned(new)
        return after.vector(memory.after(after, assignments))

    return jump


def _stored(
    layout: Layout, plan: Plan, memory: Memory, queue: Queue
) -> Callable[[Any, Any, Any], Any]:
    def jump(t: Any, y: Any, p: Any) -> Any:
        point = Point(layout, t, y, p)
        new = queue.first(point)
        if not queue.stored[0]:
            new = decided(layout, point, new, plan.trigger.assignments.values())
        after = point.assigned(new)
        books = queue.without_first(point) | memory.after(after, plan.trigger.assignments)
        changed = after.vector(books)
        return jnp.where(queue.is_due(point), changed, y) if plan.checks else changed

    return jump


def function(layout: Layout, value: Value) -> Field:
    """A formula as a function of (t, y, p)."""
    return field(layout.system, value, layout.count)


def field(system: System, value: Value, count: int) -> Field:
    """A formula as a function of (t, y, p), of which the first `count` entries of y are states."""
    return lambda t, y, p: jnp.asarray(
        value(Lookup(system, t, jnp.asarray(y)[:count], p)), jnp.float64
    )


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free
