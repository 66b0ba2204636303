"""How each event of a file becomes events of a model, and which auxiliary states that takes.

Most events become one event of the model, whose function is the difference of the two sides of the
trigger. Two cases need auxiliary states, which are constant between events:

- The truth of a trigger is remembered, as ``NAME.condition`` (0 or 1), where it is no single
  inequality; where only jumps change its two sides; and where other events change them, so that
  equality counts, or an execution may be dropped.
- An execution is stored until it happens, where the event has a delay, where others may cancel it,
  or where its values are those at the time of triggering and others may happen in between:
  ``NAME.execution_time`` or ``NAME.pending``, and for each variable its new value,
  ``NAME.VARIABLE``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gradaudit.model.sbml.formula import Formula
from gradaudit.model.sbml.system import System
from gradaudit.model.sbml.triggers import Trigger

EXECUTIONS = 2
"""Executions of one event that can be stored at once; with more, the solve has no result."""


@dataclass(frozen=True)
class Plan:
    """What an event of the file becomes.

    Attributes
    ----------
    trigger
        The event of the file.
    memory
        The auxiliary state for the truth of its condition, "" where there is none.
    slots
        For each execution that can be stored, the auxiliary state for its time (or, without a
        delay, for 0 or 1), and those for new values by variable.
    delay
        None where there is none.
    checks
        An execution is dropped if the condition is false by then.
    assigns
        The values are those at the time of triggering, and nothing is stored for it.
    """

    trigger: Trigger
    memory: str
    slots: tuple[tuple[str, dict[str, str]], ...]
    delay: Formula | None
    checks: bool
    assigns: bool

    @property
    def auxiliary(self) -> dict[str, str]:
        """The auxiliary states, and for each what it has the unit of: a name, "time" or ""."""
        found = {self.memory: ""} if self.memory else {}
        for time, values in self.slots:
            found[time] = "" if self.delay is None else "time"
            found |= {state: variable for variable, state in values.items()}
        return found


def plans(system: System, found: Iterable[Trigger], executions: int = EXECUTIONS) -> list[Plan]:
    """A plan for every event of the file that can happen after t = 0."""
    found = [trigger for trigger in found if trigger.condition.atoms]
    remembered = {id(t): _remembered(system, t, found) for t in found}
    memories = [t for t in found if remembered[id(t)]]
    result = []
    for trigger in found:
        others = [other for other in found if other is not trigger]
        delay = None if is_zero(trigger.delay) else trigger.delay
        changing = system.closure(trigger.assigned_names)
        disturbed = any(changing & system.changed_by(other.assignments) for other in others)
        if _is_disturbed(system, trigger, others):  # it may be triggered again before it happens
            disturbed = disturbed or bool(changing & system.changed_by(trigger.assignments))
        early = trigger.early and disturbed and delay is None
        told = any(
            system.changed_by(trigger.assignments) & system.closure(m.condition.names)
            for m in memories
        )
        memory = f"{trigger.name}.condition" if remembered[id(trigger)] else ""
        checks = not trigger.persistent and (bool(memory) or delay is not None)
        stores = delay is not None or checks or (early and told)
        slots: tuple[tuple[str, dict[str, str]], ...] = ()
        if stores:
            kept = trigger.early and bool(changing & system.varying)
            count = 1 if delay is None or not trigger.persistent else executions
            slots = tuple(_slot(trigger, delay, kept, number) for number in range(1, count + 1))
        result.append(Plan(trigger, memory, slots, delay, checks, assigns=early and not stores))
    return result


def _remembered(system: System, trigger: Trigger, found: list[Trigger]) -> bool:
    atom = trigger.condition.single
    if atom is None or atom.equality or not system.moves(atom.names):
        return True
    if atom.strict and trigger.persistent:
        # Whether a jump crosses the threshold is seen by the signs of the difference.
        return False
    return _is_disturbed(system, trigger, [other for other in found if other is not trigger])


def _is_disturbed(system: System, trigger: Trigger, others: list[Trigger]) -> bool:
    """Whether jumps of others change the condition."""
    needs = system.closure(trigger.condition.names)
    return any(needs & system.changed_by(other.assignments) for other in others)


def _slot(
    trigger: Trigger, delay: Formula | None, kept: bool, number: int
) -> tuple[str, dict[str, str]]:
    end = "" if number == 1 else f".{number}"
    what = "pending" if delay is None else "execution_time"
    values = {v: f"{trigger.name}.{v}{end}" for v in trigger.assignments} if kept else {}
    return f"{trigger.name}.{what}{end}", values


def is_zero(delay: Formula | None) -> bool:
    """Whether there is no delay, or the number 0."""
    if delay is None:
        return True
    if delay.names:
        return False
    return math.isclose(float(delay.value(_nothing)), 0.0, abs_tol=0.0)


def _nothing(name: str) -> None:
    raise KeyError(name)
