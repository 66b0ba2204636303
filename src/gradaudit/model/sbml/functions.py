"""The functions of MathML by the types of libSBML, as functions of jax.numpy."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import libsbml
from jax import lax
from jax.scipy.special import gammaln

Scope = Callable[[str], Any]
Value = Callable[[Scope], Any]
AVOGADRO = 6.02214179e23  # the value that SBML Level 3 prescribes

UNARY: dict[int, Callable[[Any], Any]] = {
    libsbml.AST_FUNCTION_EXP: jnp.exp,
    libsbml.AST_FUNCTION_LN: jnp.log,
    libsbml.AST_FUNCTION_SIN: jnp.sin,
    libsbml.AST_FUNCTION_COS: jnp.cos,
    libsbml.AST_FUNCTION_TAN: jnp.tan,
    libsbml.AST_FUNCTION_SEC: lambda x: 1.0 / jnp.cos(x),
    libsbml.AST_FUNCTION_CSC: lambda x: 1.0 / jnp.sin(x),
    libsbml.AST_FUNCTION_COT: lambda x: 1.0 / jnp.tan(x),
    libsbml.AST_FUNCTION_SINH: jnp.sinh,
    libsbml.AST_FUNCTION_COSH: jnp.cosh,
    libsbml.AST_FUNCTION_TANH: jnp.tanh,
    libsbml.AST_FUNCTION_SECH: lambda x: 1.0 / jnp.cosh(x),
    libsbml.AST_FUNCTION_CSCH: lambda x: 1.0 / jnp.sinh(x),
    libsbml.AST_FUNCTION_COTH: lambda x: 1.0 / jnp.tanh(x),
    libsbml.AST_FUNCTION_ARCSIN: jnp.arcsin,
    libsbml.AST_FUNCTION_ARCCOS: jnp.arccos,
    libsbml.AST_FUNCTION_ARCTAN: jnp.arctan,
    libsbml.AST_FUNCTION_ARCSINH: jnp.arcsinh,
    libsbml.AST_FUNCTION_ARCCOSH: jnp.arccosh,
    libsbml.AST_FUNCTION_ARCTANH: jnp.arctanh,
    libsbml.AST_FUNCTION_ABS: jnp.abs,
    libsbml.AST_FUNCTION_ARCSEC: lambda x: jnp.arccos(1.0 / x),
    libsbml.AST_FUNCTION_ARCCSC: lambda x: jnp.arcsin(1.0 / x),
    libsbml.AST_FUNCTION_ARCCOT: lambda x: jnp.arctan(1.0 / x),
    libsbml.AST_FUNCTION_ARCSECH: lambda x: jnp.arccosh(1.0 / x),
    libsbml.AST_FUNCTION_ARCCSCH: lambda x: jnp.arcsinh(1.0 / x),
    libsbml.AST_FUNCTION_ARCCOTH: lambda x: jnp.arctanh(1.0 / x),
    libsbml.AST_LOGICAL_NOT: jnp.logical_not,
}
FOLDED: dict[int, tuple[Callable[[Any, Any], Any], Any]] = {
    libsbml.AST_PLUS: (operator.add, 0.0),
    libsbml.AST_TIMES: (operator.mul, 1.0),
    libsbml.AST_FUNCTION_MAX: (jnp.maximum, -math.inf),
    libsbml.AST_FUNCTION_MIN: (jnp.minimum, math.inf),
    libsbml.AST_LOGICAL_AND: (jnp.logical_and, True),
    libsbml.AST_LOGICAL_OR: (jnp.logical_or, False),
    libsbml.AST_LOGICAL_XOR: (jnp.logical_xor, False),
}
RELATIONS: dict[int, Callable[[Any, Any], Any]] = {
    libsbml.AST_RELATIONAL_LT: jnp.less,
    libsbml.AST_RELATIONAL_LEQ: jnp.less_equal,
    libsbml.AST_RELATIONAL_GT: jnp.greater,
    libsbml.AST_RELATIONAL_GEQ: jnp.greater_equal,
    libsbml.AST_RELATIONAL_EQ: jnp.equal,
    libsbml.AST_RELATIONAL_NEQ: jnp.not_equal,
}
POWERS = {libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER}
EQUALITIES = {libsbml.AST_RELATIONAL_EQ, libsbml.AST_RELATIONAL_NEQ}
CONSTANTS: dict[int, Any] = {
    libsbml.AST_CONSTANT_PI: math.pi,
    libsbml.AST_CONSTANT_E: math.e,
    libsbml.AST_CONSTANT_TRUE: True,
    libsbml.AST_CONSTANT_FALSE: False,
    libsbml.AST_NAME_AVOGADRO: AVOGADRO,
}
STEPS = {
    libsbml.AST_FUNCTION_FLOOR,
    libsbml.AST_FUNCTION_CEILING,
    libsbml.AST_FUNCTION_QUOTIENT,
    libsbml.AST_FUNCTION_REM,
}


def arithmetic(node: Any, kind: int, values: list[Value]) -> Value | None:
    """An operation that does not switch, on the values of its operands; None if it is none."""
    if kind == libsbml.AST_MINUS and len(values) == 1:
        return lambda scope: -values[0](scope)
    if kind == libsbml.AST_MINUS:
        return lambda scope: values[0](scope) - values[1](scope)
    if kind == libsbml.AST_DIVIDE:
        # Not the operator: numbers alone must give inf, not a ZeroDivisionError.
        return lambda scope: jnp.divide(values[0](scope), values[1](scope))
    if kind in POWERS:
        exponent = whole_number(node.getChild(1))
        if exponent is not None:  # products: smooth at zero, where x^y with a real y is not
            return lambda scope: jnp.asarray(values[0](scope), jnp.float64) ** exponent
        return lambda scope: jnp.power(values[0](scope), values[1](scope))
    if kind == libsbml.AST_FUNCTION_ROOT:
        degree = whole_number(node.getChild(0)) if len(values) == 2 else 2
        if degree == 2:
            return lambda scope: jnp.sqrt(values[-1](scope))
        return lambda scope: jnp.power(values[1](scope), 1.0 / values[0](scope))
    if kind == libsbml.AST_FUNCTION_LOG:
        if len(values) == 1:
            return lambda scope: jnp.log(values[0](scope)) / math.log(10.0)
        return lambda scope: jnp.log(values[1](scope)) / jnp.log(values[0](scope))
    return None


def step_function(kind: int, values: list[Value]) -> Value:
    """Floor, ceiling, quotient and rem of the values of their operands."""
    if kind == libsbml.AST_FUNCTION_FLOOR:
        return lambda scope: jnp.floor(_real(values[0](scope)))
    if kind == libsbml.AST_FUNCTION_CEILING:
        return lambda scope: jnp.ceil(_real(values[0](scope)))
    if kind == libsbml.AST_FUNCTION_REM:
        return lambda scope: lax.rem(*_reals(values, scope))
    return lambda scope: jnp.trunc(jnp.divide(*_reals(values, scope)))


def step_crossing(kind: int, values: list[Value]) -> Value:
    """A smooth function that passes through zero wherever a step function may step.

    Steps are at whole numbers, where sin(pi x) is zero and changes its sign.
    """
    if kind in (libsbml.AST_FUNCTION_FLOOR, libsbml.AST_FUNCTION_CEILING):
        return lambda scope: jnp.sin(math.pi * _real(values[0](scope)))
    return lambda scope: jnp.sin(math.pi * jnp.divide(*_reals(values, scope)))


def factorial(node: Any, value: Value) -> Value:
    """x! of a whole number; NaN of a negative one."""
    number = whole_number(node)
    if number is not None and number >= 0:
        return lambda scope: float(math.factorial(number))
    return lambda scope: jnp.exp(gammaln(_real(value(scope)) + 1.0))


def _real(value: Any) -> Any:
    return jnp.asarray(value, jnp.float64)


def _reals(values: list[Value], scope: Scope) -> Any:
    return jnp.broadcast_arrays(*(_real(value(scope)) for value in values))


def whole_number(node: Any) -> int | None:
    """The value of a literal whole number, with or without a sign."""
    if node.getType() == libsbml.AST_MINUS and node.getNumChildren() == 1:
        inner = whole_number(node.getChild(0))
        return None if inner is None else -inner
    if node.isNumber() and float(node.getValue()).is_integer():
        return int(node.getValue())
    return None
