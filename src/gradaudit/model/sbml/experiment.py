"""An experiment written into a model: other initial values, and changes at fixed times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import libsbml

from gradaudit.errors import ModelError
from gradaudit.model.sbml.document import elements, read
from gradaudit.model.sbml.symbols import collect

PREFIX = "period_"
CSYMBOL = "symbols/time"
"""The end of the name by which MathML knows the time."""


@dataclass(frozen=True)
class Experiment:
    """What is done to a model.

    Attributes
    ----------
    initial
        Formulas for initial values, in the infix notation of SBML Level 3, by id.
    changes
        Times, and formulas for new values there, by id. All are computed from the values before,
        and concentrations stay what they are when the size of their compartment changes. Changes
        at a time come before the events of the model.
    """

    initial: Mapping[str, str] = field(default_factory=dict)
    changes: tuple[tuple[float, Mapping[str, str]], ...] = ()


def write(experiment: Experiment, model: Any) -> None:
    """Write an experiment into a model of libSBML, in place.

    Raises
    ------
    ModelError
        If a target does not exist or is determined by a rule, or a formula cannot be read.
    """
    for identifier, text in experiment.initial.items():
        _target(model, identifier)
        assignment = model.getInitialAssignment(identifier)
        if assignment is None:
            assignment = model.createInitialAssignment()
            assignment.setSymbol(identifier)
        assignment.setMath(_tree(text, identifier, model))
    priority = _above(model) if experiment.changes else 0.0
    for index, (time, formulas) in enumerate(experiment.changes):
        event = model.createEvent()
        event.setId(f"{PREFIX}{index}")
        event.setUseValuesFromTriggerTime(True)
        trigger = event.createTrigger()
        trigger.setInitialValue(False)
        trigger.setPersistent(True)
        trigger.setMath(libsbml.parseL3Formula(f"time >= {time!r}"))
        event.createPriority().setMath(libsbml.parseL3Formula(repr(priority)))
        for identifier, text in _compensated(model, formulas).items():
            _target(model, identifier).setConstant(False)
            assignment = event.createEventAssignment()
            assignment.setVariable(identifier)
            assignment.setMath(_tree(text, identifier, model))


def unchanging(path: str | Path) -> frozenset[str]:
    """The ids of an SBML file whose values never change: constants, and sizes that stay."""
    document, model = read(Path(path))
    try:
        assigned = {
            assignment.getVariable()
            for event in elements(model.getListOfEvents())
            for assignment in elements(event.getListOfEventAssignments())
        }
        return frozenset(
            name
            for name, symbol in collect(model).items()
            if symbol.kind in ("parameter", "compartment", "stoichiometry")
            and symbol.rate is None
            and symbol.assignment is None
            and name not in assigned
        )
    finally:
        del document


def uses_time(path: str | Path) -> bool:
    """Whether a formula of an SBML file has the time in it."""
    document, model = read(Path(path))
    try:
        return CSYMBOL in model.toSBML()
    finally:
        del document


def _target(model: Any, identifier: str) -> Any:
    found = model.getElementBySId(identifier)
    if found is None:
        raise ModelError(f"the model has no {identifier!r}, which a condition sets.")
    rule = model.getRule(identifier)
    if rule is not None and rule.isAssignment():
        raise ModelError(
            f"{identifier!r} cannot be set by a condition: a rule of the file determines it at all "
            "times. Set what the rule depends on."
        )
    return found


def _tree(text: str, identifier: str, model: Any) -> Any:
    tree = libsbml.parseL3FormulaWithModel(text, model)
    if tree is None:
        why = " ".join(libsbml.getLastParseL3Error().split())
        raise ModelError(f"the value {text!r} of {identifier!r} cannot be read: {why}")
    return tree


def _above(model: Any) -> float:
    """A priority above those of all events of the model."""
    highest = 0.0
    for event in elements(model.getListOfEvents()):
        if event.isSetPriority() and event.getPriority().isSetMath():
            tree = event.getPriority().getMath()
            if not tree.isNumber():
                raise ModelError(
                    f"event {event.getId()!r} has a priority that is a formula, beside conditions "
                    "that change values at a time; make it a number."
                )
            highest = max(highest, float(tree.getValue()))
    return highest + 1.0


def _compensated(model: Any, formulas: Mapping[str, str]) -> dict[str, str]:
    """The assignments of an event that has the effect of `formulas`.

    In SBML a new size changes concentrations, as amounts stay; here the concentrations stay.
    """
    found = dict(formulas)
    for species in elements(model.getListOfSpecies()):
        volume = species.getCompartment()
        if volume not in formulas or species.getHasOnlySubstanceUnits():
            continue
        if (
            model.getRule(species.getId()) is not None
            and model.getRule(species.getId()).isAssignment()
        ):
            continue
        value = formulas.get(species.getId(), species.getId())
        found[species.getId()] = f"({value}) * ({formulas[volume]}) / {volume}"
    return found
