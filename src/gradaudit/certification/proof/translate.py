"""From a model to the texts that CAPD reads: the same jaxpr that heyoka's expressions come from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.certification.proof.interpreter import TermInterpreter
from gradaudit.certification.proof.terms import Term, multiply, number
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state


class Units(NamedTuple):
    """Exponents of powers of two in which times, states and parameters are counted.

    Products with them are exact, and CAPD, which measures all states by one norm, meets numbers
    that are neither small nor large.
    """

    time: int
    states: tuple[int, ...]
    parameters: tuple[int, ...]


class Texts(NamedTuple):
    """A model in CAPD's notation, in its units.

    Attributes
    ----------
    field
        The vector field of the states y0, y1, ... and of the parameters p0, p1, ..., which are
        states that stay as they are, and of the time t.
    start
        The initial state as a function of the parameters.
    """

    field: str
    start: str
    units: Units


def plain(model: Model) -> Units:
    """The units of the model itself."""
    return Units(0, (0,) * model.n, (0,) * model.m)


def texts(model: Model, units: Units | None = None) -> Texts:
    """The vector field and the initial state of a model, by default in its own units.

    Raises
    ------
    TranslationError
        If the state jumps, or a function has something that has no counterpart.
    """
    units = units or plain(model)
    name = f"model {model.name!r}"
    jumps = [key for key, event in model.events.items() if event.jump is not None]
    if jumps:
        raise TranslationError(f"{name}: the event {jumps[0]!r} makes the state jump.")
    states, parameters = _names("y", model.n), _names("p", model.m)
    time = _times(Term("t"), units.time)
    y = [_times(Term(k), e) for k, e in zip(states, units.states, strict=True)]
    p = [_times(Term(k), e) for k, e in zip(parameters, units.parameters, strict=True)]
    where = f"{name}: vector_field"
    closed = trace(model.vector_field, [None, model.n, model.m], where)
    rates = _read(closed, [time, y, p], where)
    where = f"{name}: initial_state"
    closed = trace(lambda p: initial_state(model, p), [model.m], where)
    start = _read(closed, [p], where)
    rates = [_times(rate, units.time - e) for rate, e in zip(rates, units.states, strict=True)]
    start = [_times(value, -e) for value, e in zip(start, units.states, strict=True)]
    return Texts(
        _text([*states, *parameters], [*rates, *[number(0.0)] * model.m]),
        _text(parameters, start),
        units,
    )


def _names(letter: str, count: int) -> list[str]:
    return [f"{letter}{index}" for index in range(count)]


def _times(term: Term, exponent: int) -> Term:
    """A term times a power of two."""
    return multiply(number(2.0**exponent), term)


def _read(closed: Any, arguments: list[Term | list[Term]], where: str) -> list[Term]:
    """The entries of a jaxpr's first result, from terms."""
    inputs = []
    for argument in arguments:
        values = np.empty(() if isinstance(argument, Term) else (len(argument),), dtype=object)
        values[...] = argument
        inputs.append(values)
    interpreter = TermInterpreter(where)
    try:
        return list(interpreter.lifted(interpreter.evaluate(closed, inputs)[0]).reshape(-1))
    except TranslationError as error:
        if str(error).startswith(where):
            raise
        raise TranslationError(f"{where}: {error}") from None


def _text(variables: list[str], terms: list[Term]) -> str:
    return f"var:{','.join(variables)};time:t;fun:{','.join(term.text for term in terms)};"
