"""The quantities of an SBML model, and what the file says of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradaudit.errors import ModelError
from gradaudit.model.sbml.document import elements
from gradaudit.model.sbml.factors import without_factor
from gradaudit.model.sbml.formula import Formula, constant, formula, name
from gradaudit.model.sbml.units import reference_text, unit_text
from gradaudit.model.spec import hint


@dataclass
class Symbol:
    """One quantity.

    Attributes
    ----------
    kind
        "compartment", "species", "parameter", "stoichiometry" or "reaction".
    unit, amount_unit
        Unit of what formulas mean by the name; for a species, unit of its amount too.
    number
        The number in the file, NaN where there is none.
    initial, assignment, rate
        Formulas for the value at t = 0, the value at any time, the derivative.
    flow
        For a species that reactions change: (stoichiometry, id of the reaction), products positive.
    factor
        Conversion factor from extent of reaction to amount.
    volume
        For a species that formulas take as a concentration, its compartment.
    given_as_amount
        `number` is an amount although formulas take a concentration.
    compartment
        For a species, its compartment.
    constant
        Whether the file says that it never changes.
    """

    id: str
    kind: str
    unit: str
    number: float = math.nan
    amount_unit: str = ""
    initial: Formula | None = None
    assignment: Formula | None = None
    rate: Formula | None = None
    flow: list[tuple[Formula, str]] = field(default_factory=list)
    factor: Formula | None = None
    volume: str = ""
    given_as_amount: bool = False
    compartment: str = ""
    constant: bool = True


def collect(model: Any) -> dict[str, Symbol]:
    """Every quantity of the model by its id, in the order of the file."""
    symbols: dict[str, Symbol] = {}
    for compartment in elements(model.getListOfCompartments()):
        unit = unit_text(compartment.getDerivedUnitDefinition())
        number = compartment.getSize() if compartment.isSetSize() else math.nan
        own = Symbol(compartment.getId(), "compartment", unit, number)
        own.constant = compartment.getConstant()
        symbols[own.id] = own
    for species in elements(model.getListOfSpecies()):
        symbols[species.getId()] = _species(model, species)
    for parameter in elements(model.getListOfParameters()):
        unit = unit_text(parameter.getDerivedUnitDefinition())
        number = parameter.getValue() if parameter.isSetValue() else math.nan
        own = Symbol(parameter.getId(), "parameter", unit, number)
        own.constant = parameter.getConstant()
        symbols[own.id] = own
    for reaction in elements(model.getListOfReactions()):
        _reaction(reaction, symbols)
    _rules(model, symbols)
    for species in elements(model.getListOfSpecies()):
        if species.getBoundaryCondition() or species.getConstant():
            symbols[species.getId()].flow = []
    return symbols


def set_values(symbols: dict[str, Symbol], values: Mapping[str, float]) -> None:
    """Give quantities other numbers than the file; its initial assignments to them are dropped.

    Raises
    ------
    ModelError
        If there is no such quantity, or a rule or a kinetic law determines it; if what is given
        is no number.
    """
    for identifier, given in values.items():
        try:
            number = float(given)
        except (TypeError, ValueError):
            raise ModelError(
                f"{identifier!r} cannot be set to {given!r}: that is no number. Give one."
            ) from None
        symbol = _target(symbols, identifier, f"the value {number:g}")
        if symbol.assignment is not None or symbol.kind == "reaction":
            raise ModelError(
                f"{identifier!r} cannot be set to {number:g}: a rule of the file determines it at "
                "all times. Set what the rule depends on."
            )
        symbol.number, symbol.initial, symbol.given_as_amount = number, None, False


def _species(model: Any, species: Any) -> Symbol:
    compartment = model.getCompartment(species.getCompartment())
    whole = species.getHasOnlySubstanceUnits() or compartment.getSpatialDimensionsAsDouble() == 0.0
    volume = compartment.getId()
    symbol = Symbol(
        species.getId(),
        "species",
        unit_text(species.getDerivedUnitDefinition()),
        amount_unit=reference_text(model, species.getSubstanceUnits() or model.getSubstanceUnits()),
        volume="" if whole else volume,
        compartment=volume,
        constant=species.getConstant(),
    )
    factor = species.getConversionFactor() or model.getConversionFactor()
    symbol.factor = name(factor) if factor else None
    if species.isSetInitialAmount():
        symbol.number, symbol.given_as_amount = species.getInitialAmount(), not whole
    elif species.isSetInitialConcentration():
        symbol.number = number = species.getInitialConcentration()
        if whole:
            symbol.initial = Formula(
                f"{number:g} * {volume}", frozenset({volume}), (), lambda s: number * s(volume)
            )
    return symbol


def _reaction(reaction: Any, symbols: dict[str, Symbol]) -> None:
    symbol = Symbol(reaction.getId(), "reaction", "")
    if reaction.isSetKineticLaw() and reaction.getKineticLaw().isSetMath():
        law = reaction.getKineticLaw().getMath()
        symbol.assignment = formula(law, f"the kinetic law of reaction {reaction.getId()!r}")
    symbols[symbol.id] = symbol
    sides = ((-1.0, reaction.getListOfReactants()), (1.0, reaction.getListOfProducts()))
    for sign, references in sides:
        for reference in elements(references):
            number = reference.getStoichiometry() if reference.isSetStoichiometry() else math.nan
            if reference.getId():
                own = Symbol(reference.getId(), "stoichiometry", "1", number)
                own.constant = reference.getConstant()
                symbols[own.id] = own
            elif math.isnan(number):
                raise ModelError(
                    f"reaction {symbol.id!r}: the stoichiometry of {reference.getSpecies()!r} "
                    "has no value; set one in the file."
                )
            flow = _stoichiometry(sign, number, reference.getId())
            species = symbols[reference.getSpecies()]
            species.flow.append((flow, symbol.id))
            if species.volume and symbol.assignment is not None:
                _divide(reaction, species.volume, symbols)


def _divide(reaction: Any, volume: str, symbols: dict[str, Symbol]) -> None:
    """The rate per volume, as a quantity of its own, where the size is a factor of the law."""
    quotient = without_factor(reaction.getKineticLaw().getMath(), volume)
    if quotient is not None:
        name = per_volume(reaction.getId(), volume)
        where = f"the kinetic law of reaction {reaction.getId()!r}"
        symbols[name] = Symbol(name, "reaction", "", assignment=formula(quotient, where))


def per_volume(reaction: str, volume: str) -> str:
    """The id of the rate of a reaction divided by a compartment's size; no id of SBML has a /."""
    return f"{reaction}/{volume}"


def _stoichiometry(sign: float, number: float, reference: str) -> Formula:
    if not reference:
        return constant(sign * number)
    return Formula(reference, frozenset({reference}), (), lambda scope: sign * scope(reference))


def _rules(model: Any, symbols: dict[str, Symbol]) -> None:
    for rule in elements(model.getListOfRules()):
        if rule.isAlgebraic() or rule.getMath() is None:
            continue
        kind = "assignment" if rule.isAssignment() else "rate"
        where = f"the {kind} rule for {rule.getVariable()!r}"
        target = _target(symbols, rule.getVariable(), where)
        setattr(target, kind, formula(rule.getMath(), where))
    for assignment in elements(model.getListOfInitialAssignments()):
        if assignment.getMath() is None:
            continue
        where = f"the initial assignment to {assignment.getSymbol()!r}"
        target = _target(symbols, assignment.getSymbol(), where)
        target.initial = formula(assignment.getMath(), where)


def _target(symbols: dict[str, Symbol], target: str, where: str) -> Symbol:
    if target not in symbols:
        raise ModelError(f"{where}: the model has no {target!r}{hint(target, list(symbols))}.")
    return symbols[target]
