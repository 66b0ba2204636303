"""From a model to the texts that CAPD reads: the same jaxpr that heyoka's expressions come from."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.certification.proof.interpreter import TermInterpreter
from gradaudit.certification.proof.terms import Term, number
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state


class Texts(NamedTuple):
    """A model in CAPD's notation.

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


def texts(model: Model) -> Texts:
    """The vector field and the initial state of a model.

    Raises
    ------
    TranslationError
        If the state jumps, or a function has something that has no counterpart.
    """
    name = f"model {model.name!r}"
    jumps = [key for key, event in model.events.items() if event.jump is not None]
    if jumps:
        raise TranslationError(f"{name}: the event {jumps[0]!r} makes the state jump.")
    states, parameters = _names("y", model.n), _names("p", model.m)
    closed = trace(model.vector_field, [None, model.n, model.m], f"{name}: vector_field")
    rates = _read(closed, [["t"], states, parameters], f"{name}: vector_field")
    start = _read(
        trace(lambda p: initial_state(model, p), [model.m], f"{name}: initial_state"),
        [parameters],
        f"{name}: initial_state",
    )
    return Texts(
        _text([*states, *parameters], [*rates, *[number(0.0)] * model.m]),
        _text(parameters, start),
    )


def _names(letter: str, count: int) -> list[str]:
    return [f"{letter}{index}" for index in range(count)]


def _read(closed: Any, names: list[list[str]], where: str) -> list[Term]:
    """The entries of a jaxpr's first result; a scalar is the argument named t."""
    inputs = []
    for of_argument in names:
        values = np.empty(() if of_argument == ["t"] else (len(of_argument),), dtype=object)
        for index, name in enumerate(of_argument):
            values[(index,) if values.ndim else ()] = Term(name)
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
