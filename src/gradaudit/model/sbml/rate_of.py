"""rateOf(x): the derivative of x with respect to time, as a quantity of its own."""

from __future__ import annotations

import re
from typing import Any

from gradaudit.errors import ModelError
from gradaudit.model.sbml.formula import Formula, Scope, constant, rate_of
from gradaudit.model.sbml.symbols import Symbol, per_volume


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
    flow = [(number, _flux(reaction, volume, symbols)) for number, reaction in symbol.flow]
    factor = constant(1.0) if symbol.factor is None else symbol.factor
    names = set(factor.names).union(*({*number.names, *found} for number, found in flow))
    swelling = volume if volume is not None and volume.rate is not None else None
    if swelling is not None and swelling.rate is not None:
        names |= {symbol.id, swelling.id, *swelling.rate.names}

    def value(scope: Scope) -> Any:
        change: Any = 0.0
        for number, (rate, *size) in flow:
            flux = number.value(scope) * scope(rate)
            change = change + (flux / scope(size[0]) if size else flux)
        change = change * factor.value(scope)
        if swelling is not None and swelling.rate is not None:
            change = change - scope(symbol.id) * swelling.rate.value(scope) / scope(swelling.id)
        return change

    return Formula(text, frozenset(names), (), value)


def _flux(reaction: str, volume: Symbol | None, symbols: dict[str, Symbol]) -> tuple[str, ...]:
    """The name of a reaction's rate, per volume of a concentration; and a divisor if needed."""
    if volume is None:
        return (reaction,)
    divided = per_volume(reaction, volume.id)
    return (divided,) if divided in symbols else (reaction, volume.id)


def _refuse(name: str, why: str) -> Any:
    def value(scope: Scope) -> Any:
        raise ModelError(
            f"rateOf({name}): {name!r} {why}, so its rate has no formula; this is not supported. "
            "Write the rate itself."
        )

    return value
