"""rateOf(x): the derivative of x with respect to time, as a quantity of its own."""

from __future__ import annotations

import re
from typing import Any

from gradaudit.errors import ModelError
from gradaudit.model.sbml.formula import Formula, Scope, constant, rate_of
from gradaudit.model.sbml.symbols import Symbol


def add_rates(text: str, symbols: dict[str, Symbol]) -> None:
    """Symbols for rates, if the file asks for any; `text` is the whole file.

    Raises
    ------
    ModelError
        If the size of a compartment follows from a rule, so that the rate of what is in it has no
        formula.
    """
    if not re.search(r"symbols/rateOf", text):
        return
    for symbol in list(symbols.values()):
        if symbol.kind in ("compartment", "species", "parameter", "stoichiometry"):
            name = rate_of(symbol.id)
            symbols[name] = Symbol(name, "rate", "", assignment=_rate(symbol, symbols))


def _rate(symbol: Symbol, symbols: dict[str, Symbol]) -> Formula:
    text = rate_of(symbol.id)
    if symbol.rate is not None:
        return symbol.rate
    if symbol.assignment is not None:
        return Formula(text, frozenset(), (), _refuse(symbol.id, "follows from a rule"))
    volume = symbols[symbol.volume] if symbol.volume else None
    if not symbol.flow and (volume is None or volume.rate is None):
        return constant(0.0, text)
    if volume is not None and volume.assignment is not None:
        what = f"is in the compartment {volume.id!r}, whose size follows from a rule"
        return Formula(text, frozenset(), (), _refuse(symbol.id, what))
    names = {reaction for _, reaction in symbol.flow}
    names = names.union(*(number.names for number, _ in symbol.flow))
    if symbol.factor is not None:
        names |= symbol.factor.names
    if volume is not None:
        names |= {volume.id}
        if volume.rate is not None:
            names |= {symbol.id, *volume.rate.names}

    def value(scope: Scope) -> Any:
        change: Any = sum(number.value(scope) * scope(reaction) for number, reaction in symbol.flow)
        if symbol.factor is not None:
            change = change * symbol.factor.value(scope)
        if volume is None:
            return change
        if volume.rate is not None:
            change = change - scope(symbol.id) * volume.rate.value(scope)
        return change / scope(volume.id)

    return Formula(text, frozenset(names), (), value)


def _refuse(name: str, why: str) -> Any:
    def value(scope: Scope) -> Any:
        raise ModelError(
            f"rateOf({name}): {name!r} {why}, so its rate has no formula; this is not supported. "
            "Write the rate itself."
        )

    return value
