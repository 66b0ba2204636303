"""The events of an SBML file, as the file has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gradaudit.model.sbml.conditions import Condition, condition
from gradaudit.model.sbml.document import elements
from gradaudit.model.sbml.formula import Formula, formula


@dataclass(frozen=True)
class Trigger:
    """An event of the file.

    Attributes
    ----------
    name
        Its id, or ``event_`` and its number.
    condition
        What must become true.
    at_start
        Whether the condition counts as true before t = 0.
    persistent
        Whether it happens even if the condition is false again by then.
    early
        Whether its values are those at the time of triggering, not of execution.
    delay, priority
        None where there is none.
    assignments
        New values by name.
    """

    name: str
    condition: Condition
    at_start: bool
    persistent: bool
    early: bool
    delay: Formula | None
    priority: Formula | None
    assignments: dict[str, Formula]

    @property
    def formulas(self) -> list[Formula]:
        """All its formulas but the condition."""
        parts = (self.delay, self.priority, *self.assignments.values())
        return [part for part in parts if part is not None]

    @property
    def names(self) -> set[str]:
        """The names that it looks up."""
        return set(self.condition.names).union(*(f.names for f in self.formulas))

    @property
    def assigned_names(self) -> set[str]:
        """The names that the new values look up."""
        return set().union(*(f.names for f in self.assignments.values()))


def triggers(model: Any) -> list[Trigger]:
    """The events of the file that can happen: those with a trigger that has a formula."""
    found = []
    for number, event in enumerate(elements(model.getListOfEvents()), start=1):
        name = event.getId() or f"event_{number}"
        trigger = event.getTrigger()
        if trigger is None or trigger.getMath() is None:
            continue
        assignments = {
            a.getVariable(): formula(a.getMath(), f"event {name!r}, {a.getVariable()!r}")
            for a in elements(event.getListOfEventAssignments())
            if a.getMath() is not None
        }
        found.append(
            Trigger(
                name,
                condition(trigger.getMath(), f"the trigger of event {name!r}"),
                at_start=trigger.getInitialValue() if trigger.isSetInitialValue() else True,
                persistent=trigger.getPersistent() if trigger.isSetPersistent() else True,
                early=event.getUseValuesFromTriggerTime(),
                delay=_optional(event.getDelay(), f"the delay of event {name!r}"),
                priority=_optional(event.getPriority(), f"the priority of event {name!r}"),
                assignments=assignments,
            )
        )
    return found


def _optional(element: Any, where: str) -> Formula | None:
    if element is None or element.getMath() is None:
        return None
    return formula(element.getMath(), where)


def assigned(found: Iterable[Trigger]) -> set[str]:
    """What the events assign to."""
    return {name for trigger in found for name in trigger.assignments}
