"""Events: those of the SBML file, which jump, and the switches of formulas, which do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import libsbml

from gradaudit.errors import ModelError
from gradaudit.model.definition import Event
from gradaudit.model.sbml.document import elements
from gradaudit.model.sbml.equations import Lookup, stacked
from gradaudit.model.sbml.formula import Formula, Value, formula, oriented
from gradaudit.model.sbml.system import System, formulas

LONGEST_NAME = 60


@dataclass(frozen=True)
class Trigger:
    """An event of the file.

    Attributes
    ----------
    condition
        What must become true.
    parts
        ``(text, value)``: inequalities that must all hold; a value is positive where its own does.
    at_start
        Whether the event counts as triggered before t = 0.
    assignments
        New values by name.
    """

    name: str
    condition: Formula
    parts: tuple[tuple[str, Value], ...]
    at_start: bool
    assignments: dict[str, Formula]

    @property
    def names(self) -> set[str]:
        """The names that the trigger and the assignments look up."""
        used = (self.condition, *self.assignments.values())
        return set().union(*(f.names for f in used))


def triggers(model: Any) -> list[Trigger]:
    """The events of the file.

    Raises
    ------
    ModelError
        If a trigger is neither an inequality nor several joined by "and".
    """
    found = []
    for number, event in enumerate(elements(model.getListOfEvents()), start=1):
        name = event.getId() or f"event_{number}"
        if not event.isSetTrigger():
            raise ModelError(f"event {name!r} has no trigger; give it one.")
        assignments = {
            a.getVariable(): formula(a.getMath(), f"event {name!r}, {a.getVariable()!r}")
            for a in elements(event.getListOfEventAssignments())
        }
        where = f"the trigger of event {name!r}"
        tree = event.getTrigger().getMath()
        condition = formula(tree, where)
        parts = tuple(_parts(tree, where))
        found.append(
            Trigger(name, condition, parts, event.getTrigger().getInitialValue(), assignments)
        )
    return found


def _parts(node: Any, where: str) -> list[tuple[str, Value]]:
    if node.getType() == libsbml.AST_LOGICAL_AND:
        children = [node.getChild(index) for index in range(node.getNumChildren())]
        return [part for child in children for part in _parts(child, where)]
    value = oriented(node, where)
    if value is None:
        raise ModelError(
            f"{where} is {libsbml.formulaToL3String(node)!r}; supported are inequalities of two "
            "terms, such as a < b, and several of them joined by 'and'."
        )
    return [(libsbml.formulaToL3String(node), value)]


def jumps(system: System, found: Iterable[Trigger], p: Any) -> dict[str, Event]:
    """An Event for every inequality of every trigger.

    A trigger of several inequalities fires when the last of them begins to hold; so each has an
    event of its own, which changes nothing unless the others hold.

    Raises
    ------
    ModelError
        If an event would fire at t = 0, where its derivative is not defined.
    """
    events = {}
    for trigger in found:
        _check_start(system, trigger, p)
        for index, (text, value) in enumerate(trigger.parts):
            name = trigger.name if len(trigger.parts) == 1 else f"{trigger.name}: {text}"
            others = [part for i, (_, part) in enumerate(trigger.parts) if i != index]
            events[name] = Event(
                when=_function(system, value), direction=1, jump=_jump(system, trigger, others)
            )
    return events


def _check_start(system: System, trigger: Trigger, p: Any) -> None:
    scope = Lookup(system, 0.0, None, p)
    values = [float(value(scope)) for _, value in trigger.parts]
    holds = all(v > 0.0 for v in values)
    if (holds and not trigger.at_start) or (0.0 in values and all(v >= 0.0 for v in values)):
        raise ModelError(
            f"event {trigger.name!r} is triggered at t = 0 itself, or is exactly at its threshold "
            "there; this is not supported. Put its effect into the initial values, or move the "
            "threshold."
        )


def _jump(system: System, trigger: Trigger, others: list[Value]) -> Callable[[Any, Any, Any], Any]:
    def after(t: Any, y: Any, p: Any) -> Any:
        scope = Lookup(system, t, y, p)
        new = {name: f.value(scope) for name, f in trigger.assignments.items()}
        entries = []
        for name, old in zip(system.states, jnp.unstack(jnp.asarray(y)), strict=True):
            volume = new.get(system.symbols[name].volume)
            entries.append(scope.stored(name, new[name], volume) if name in new else old)
        changed = stacked(entries)
        for other in others:
            changed = jnp.where(other(scope) > 0.0, changed, y)
        return changed

    return after


def switches(system: System, found: Iterable[Trigger]) -> dict[str, Event]:
    """An Event without a jump wherever a formula of the rates or of a trigger switches.

    Raises
    ------
    ModelError
        If a formula compares for equality what varies.
    """
    conditions = [trigger.condition for trigger in found]
    watched = set().union(*(system.rate_names(name) for name in system.states))
    watched |= set().union(*(condition.names for condition in conditions))
    events: dict[str, Event] = {}
    for used in formulas(system, system.closure(watched)):
        for relation in used.relations:
            depends = system.closure(relation.names)
            if relation.equality:
                if depends & system.varying:
                    raise ModelError(
                        f"{relation.text!r} compares for equality what changes with time, which "
                        "has no meaning for a solver; use an inequality."
                    )
            elif depends & {*system.varying, *system.parameters}:
                name = relation.text
                if len(name) > LONGEST_NAME:
                    name = f"{name[: LONGEST_NAME - 8]}... ({len(events) + 1})"
                events.setdefault(name, Event(when=_function(system, relation.difference)))
    return events


def _function(system: System, value: Value) -> Callable[[Any, Any, Any], Any]:
    return lambda t, y, p: jnp.asarray(value(Lookup(system, t, y, p)), jnp.float64)
