"""Events without a jump, where a formula of the rates or of a trigger switches."""

from __future__ import annotations

from collections.abc import Iterable

from gradaudit.errors import ModelError
from gradaudit.model.definition import Event
from gradaudit.model.sbml.conditions import Atom
from gradaudit.model.sbml.events import function
from gradaudit.model.sbml.formula import Relation
from gradaudit.model.sbml.layout import Layout
from gradaudit.model.sbml.system import formulas
from gradaudit.model.sbml.triggers import Trigger

LONGEST_NAME = 60


def switches(layout: Layout, found: Iterable[Trigger]) -> dict[str, Event]:
    """An event wherever something switches along the flow.

    Raises
    ------
    ModelError
        If a formula compares for equality what changes continuously.
    """
    system = layout.system
    watched = set().union(*(system.rate_names(name) for name in system.states))
    watched |= set().union(*(trigger.condition.names for trigger in found))
    events: dict[str, Event] = {}
    for used in formulas(system, system.closure(watched)):
        for relation in used.relations:
            if not system.moves(relation.names):
                continue
            if relation.equality:
                raise ModelError(
                    f"{relation.text!r} compares for equality what changes with time, which "
                    "has no meaning for a solver; use an inequality."
                )
            if relation.jumps:
                check_smooth(layout, relation, "")
            name = relation.text
            if len(name) > LONGEST_NAME:
                name = f"{name[: LONGEST_NAME - 8]}... ({len(events) + 1})"
            events.setdefault(name, Event(when=function(layout, relation.difference)))
    return events


def check_smooth(layout: Layout, relation: Relation | Atom, where: str) -> None:
    """Refuse a comparison of what itself jumps along the flow.

    It is crossed where its sides jump, and the time of that is not a zero of their difference.

    Raises
    ------
    ModelError
        By the text of the comparison.
    """
    system = layout.system
    names = system.closure(relation.names)
    values = (system.symbols[n].assignment for n in sorted(names) if n in system.symbols)
    inner = [r for f in values if f is not None for r in f.relations]
    for switch in (*relation.inner, *inner):
        if switch.jumps and system.moves(switch.names):
            raise ModelError(
                f"{where}the comparison {relation.text!r} has a side that may jump where "
                f"{switch.text!r} switches; this is not supported. Write it as comparisons "
                "without steps and branches."
            )


def check_triggers(layout: Layout, found: Iterable[Trigger]) -> None:
    """Refuse triggers that compare for equality what changes continuously, or compare steps.

    Raises
    ------
    ModelError
        By the name of the event.
    """
    for trigger in found:
        for atom in trigger.condition.atoms:
            if not layout.system.moves(atom.names):
                continue
            if atom.equality:
                raise ModelError(
                    f"the trigger of event {trigger.name!r}: {atom.text!r} compares for equality "
                    "what changes with time, which has no meaning for a solver; use an inequality."
                )
            check_smooth(layout, atom, f"the trigger of event {trigger.name!r}: ")
