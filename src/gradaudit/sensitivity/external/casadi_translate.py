"""From a jaxpr to casadi expressions: the jaxpr is run by numpy on arrays of them.

What needs no expression is left to JAX itself. A primitive that is not known raises; nothing is
guessed. Unlike the reference, a witness is to do what its own users get, so that branches on t, y
and p are translated as they stand.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import casadi
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.evaluator import Evaluator
from gradaudit.backend.jaxpr.structural_ops import BY_POSITION, COMMON, by_position
from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.backend.jaxpr.walk import LONGEST_SCAN
from gradaudit.backend.program_cache import identity_cache
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state, with_integrals

Values = NDArray[Any]
Rule = Callable[..., Values]


class System(NamedTuple):
    """The equations of a model as columns of casadi expressions.

    Attributes
    ----------
    t, states, parameters
        Symbols: scalar, (n,), (m,).
    rates
        Right-hand sides of states and integrals, (n + k,).
    initial
        y0(p), (n,).
    """

    t: Any
    states: Any
    parameters: Any
    rates: Any
    initial: Any


@identity_cache
def casadi_system(model: Model) -> System:
    """The equations of a model, translated at most once in a process.

    Raises
    ------
    TranslationError
        If the vector field or the initial state has something that has no counterpart.
    """
    t = casadi.SX.sym("t")
    y, p = casadi.SX.sym("y", model.n), casadi.SX.sym("p", model.m)
    where = f"model {model.name!r}"
    augmented = with_integrals(model)
    field = trace(lambda t, y, p: augmented(t, y, p), [None, model.n, model.m], where)
    start = trace(lambda p: initial_state(model, p), [model.m], where)
    inputs = [_array(t)[0], _array(y), _array(p)]
    rates, initial = run(field, inputs, where), run(start, inputs[2:], where)
    return System(t, y, p, _column(rates), _column(initial))


def _array(column: Any) -> Values:
    entries = np.empty(column.numel(), dtype=object)
    entries[:] = casadi.vertsplit(column)
    return entries


def _column(values: list[Values]) -> Any:
    return casadi.vertcat(*(casadi.SX(entry) for entry in values[0].reshape(-1)))


def run(closed: Any, inputs: list[Any], where: str) -> list[Values]:
    """The results of a closed jaxpr for `inputs`, arrays of numbers or (dtype object) of SX."""
    return _Translator(where).evaluate(closed, [_tidy(value) for value in inputs])


def _tidy(value: Any) -> Values:
    """An array of numbers, or one of nothing but expressions: those alone have methods."""
    if isinstance(value, casadi.SX):  # numpy would take it for a matrix
        array = np.empty((), dtype=object)
        array[()] = value
    else:
        array = np.asarray(value)
    if array.dtype != object:
        return array
    lifted = np.empty(array.shape, dtype=object)
    for index, entry in np.ndenumerate(array):
        lifted[index] = entry if isinstance(entry, casadi.SX) else casadi.SX(float(entry))
    return lifted


class _Translator(Evaluator[Values]):
    """Evaluates a jaxpr on arrays of casadi's expressions; `where` is named in errors."""

    def __init__(self, where: str) -> None:
        self.where = where

    def constant(self, value: Any) -> Values:
        return _tidy(value)

    def equation(self, eqn: Any, values: list[Values]) -> list[Values]:
        return [_tidy(result) for result in super().equation(eqn, values)]

    def stack(self, rows: Sequence[Values]) -> Values:
        return np.stack(rows)

    def scan(self, eqn: Any, values: list[Values]) -> list[Values]:
        """Unrolled, for its length is static."""
        if eqn.params["length"] > LONGEST_SCAN:
            return self.primitive(eqn, values)
        return self.unrolled(eqn, values)

    def conditional(self, eqn: Any, values: list[Values]) -> list[Values]:
        chosen, *operands = values
        if chosen.dtype == object:
            return self.primitive(eqn, values)
        branches = eqn.params["branches"]
        return self.evaluate(branches[int(np.clip(chosen, 0, len(branches) - 1))], operands)

    def primitive(self, eqn: Any, values: list[Values]) -> list[Values]:
        name, params = eqn.primitive.name, eqn.params
        if not any(value.dtype == object for value in values):
            result = eqn.primitive.bind(*values, **params)
            return [np.asarray(r) for r in (result if eqn.primitive.multiple_results else [result])]
        if name in COMMON:
            moved = COMMON[name](*values, **params)
            return moved if eqn.primitive.multiple_results else [moved]
        if name in BY_POSITION:
            return [by_position(eqn, values, self.where)]
        if name in ELEMENTWISE:
            return [ELEMENTWISE[name](*values)]
        if name in WITH_PARAMETERS:
            return [WITH_PARAMETERS[name](*values, **params)]
        raise TranslationError(
            f"{self.where}: the primitive {name!r} has no counterpart in casadi."
        )


def _each(count: int, function: Callable[..., Any]) -> Rule:
    """`function` of `count` arguments, entry by entry, with broadcasting."""
    mapped = np.frompyfunc(function, count, 1)
    return lambda *values: mapped(*(value.astype(object) for value in values))


def _select(which: Values, *cases: Values, **_: Any) -> Values:
    if which.dtype != object:
        return np.choose(which.astype(int), [case.astype(object) for case in cases])
    other, chosen = cases  # where the condition is an expression it is true or false
    return _each(3, lambda c, a, b: casadi.if_else(c, a, b))(which, chosen, other)


def _convert(x: Values, *, new_dtype: Any, **_: Any) -> Values:
    """Numbers and conditions become floats; nothing else is a cast without a jump."""
    if np.issubdtype(new_dtype, np.floating) and np.dtype(new_dtype).itemsize >= 8:
        return x
    raise TranslationError(f"a cast to {np.dtype(new_dtype)} has no counterpart in casadi.")


def _dot(a: Values, b: Values, *, dimension_numbers: Any, **_: Any) -> Values:
    """JAX's dot_general: batch axes first, then the free ones of a and of b."""
    (over_a, over_b), (batch_a, batch_b) = dimension_numbers
    labels_a = list(range(a.ndim))
    labels_b = [a.ndim + axis for axis in range(b.ndim)]
    for axis_a, axis_b in zip([*over_a, *batch_a], [*over_b, *batch_b], strict=True):
        labels_b[axis_b] = axis_a
    free_a = [axis for axis in range(a.ndim) if axis not in (*over_a, *batch_a)]
    free_b = [labels_b[axis] for axis in range(b.ndim) if axis not in (*over_b, *batch_b)]
    result = [*batch_a, *free_a, *free_b]
    return np.einsum(a.astype(object), labels_a, b.astype(object), labels_b, result)


def _reduced(ufunc: Any) -> Rule:
    def reduce(x: Values, *, axes: Any, **_: Any) -> Values:
        for axis in sorted(axes, reverse=True):
            x = _tidy(ufunc.reduce(x, axis=axis))
        return x

    return reduce


def _cumulated(ufunc: Any) -> Rule:
    def cumulate(x: Values, *, axis: int, reverse: bool, **_: Any) -> Values:
        forward = np.flip(x, axis) if reverse else x
        result = ufunc.accumulate(forward, axis=axis, dtype=object)
        return np.flip(result, axis) if reverse else result

    return cumulate


_MAX = np.frompyfunc(casadi.fmax, 2, 1)
_MIN = np.frompyfunc(casadi.fmin, 2, 1)

ELEMENTWISE: dict[str, Rule] = {
    "add": np.add,
    "add_any": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "pow": np.power,
    "neg": np.negative,
    "square": lambda x: x * x,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "exp": np.exp,
    "exp2": lambda x: np.exp(x * np.log(2.0)),
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "logistic": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "erf": _each(1, casadi.erf),
    "abs": _each(1, casadi.fabs),
    "sign": _each(1, casadi.sign),
    "max": _each(2, casadi.fmax),
    "min": _each(2, casadi.fmin),
    "clamp": _each(3, lambda low, x, high: casadi.fmin(casadi.fmax(x, low), high)),
    "lt": _each(2, operator.lt),
    "le": _each(2, operator.le),
    "gt": _each(2, operator.gt),
    "ge": _each(2, operator.ge),
    "eq": _each(2, operator.eq),
    "ne": _each(2, operator.ne),
    "and": _each(2, casadi.logic_and),
    "or": _each(2, casadi.logic_or),
    "not": _each(1, casadi.logic_not),
}

WITH_PARAMETERS: dict[str, Rule] = {
    "integer_pow": lambda x, *, y, **_: x**y,
    "convert_element_type": _convert,
    "select_n": _select,
    "dot_general": _dot,
    "reduce_sum": _reduced(np.add),
    "reduce_prod": _reduced(np.multiply),
    "reduce_max": _reduced(_MAX),
    "reduce_min": _reduced(_MIN),
    "cumsum": _cumulated(np.add),
    "cumprod": _cumulated(np.multiply),
}
