"""From a jaxpr to a heyoka system: one model, written in jax.numpy, drives both.

The vector field is traced in float64 and its jaxpr is interpreted with every value an array of
heyoka expressions, or of constants of the target precision. A primitive that is not known raises;
nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import heyoka as hy
import numpy as np

from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.certification.heyoka import elementwise
from gradaudit.certification.heyoka.interpreter import Interpreter
from gradaudit.certification.heyoka.linear_solve import Factor
from gradaudit.certification.heyoka.precision import Precision
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state, integrand_names, with_integrals
from gradaudit.model.start_events import start_events

System = list[tuple[hy.expression, hy.expression]]
Argument = Any  # a scalar, or a sequence of them: expressions or numbers


def state_variables(model: Model) -> list[hy.expression]:
    """Variables for states, then integrals, (n + k,) in the order of `with_integrals`."""
    return [hy.expression(f"y{i}") for i in range(model.n + len(integrand_names(model)))]


def heyoka_system(model: Model, precision: Precision) -> System:
    """The vector field of states and integrals, with the parameters as ``par[0], par[1], ...``.

    Raises
    ------
    TranslationError
        If the vector field has something that the Taylor method cannot follow.
    """
    variables = state_variables(model)
    parameters = [hy.par[index] for index in range(model.m)]
    rates = translate(
        with_integrals(model),
        [hy.time, variables, parameters],
        precision=precision,
        where=f"model {model.name!r}: vector_field",
    )
    return list(zip(variables, rates, strict=True))


def initial_expressions(model: Model, precision: Precision) -> list[hy.expression]:
    """y0(p) with the parameters as variables ``p0, p1, ...``, (n,)."""
    if model.initial_state is None and not start_events(model):
        return [hy.expression(precision.number(float(y))) for y in model.declared_state]
    return translate(
        lambda p: initial_state(model, p),
        [[hy.expression(f"p{index}") for index in range(model.m)]],
        precision=precision,
        where=f"model {model.name!r}: initial_state",
    )


def translate(
    function: Callable[..., Any],
    arguments: Sequence[Argument],
    *,
    precision: Precision,
    where: str = "function",
) -> list[hy.expression]:
    """The entries of `function`'s one-dimensional result as heyoka expressions.

    Parameters
    ----------
    function
        In jax.numpy; takes scalars and vectors and returns a vector.
    arguments
        An expression for a scalar, a list of expressions for a vector.
    precision
        Literals are lifted to it before any arithmetic.
    where
        Named in errors.

    Raises
    ------
    TranslationError
        If x64 is off, or a primitive has no counterpart.
    """
    sizes = [len(a) if isinstance(a, Sequence) else None for a in arguments]
    values = read(trace(function, sizes, where), arguments, Interpreter(precision, where))
    return [elementwise.lift(x) for x in values]


def read(closed: Any, arguments: Sequence[Argument], interpreter: Interpreter) -> list[Any]:
    """The entries of a jaxpr's first result, from expressions or from numbers."""
    inputs = []
    for argument in arguments:
        scalar = not isinstance(argument, Sequence)
        values = np.empty(() if scalar else (len(argument),), dtype=object)
        values[...] = argument
        inputs.append(values)
    result: Any = interpreter.evaluate(closed, inputs)[0]
    if isinstance(result, Factor):  # the derivative of the result itself is stopped
        raise interpreter.unknown("stop_gradient")
    return list(result.reshape(-1))
