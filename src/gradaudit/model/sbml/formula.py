"""From a MathML tree of libSBML to a function in jax.numpy.

A formula is built once, as closures that look names up in a scope, so that nothing of libSBML is
needed when a vector field is traced. Where it switches branches is kept beside it.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax.numpy as jnp
import libsbml

from gradaudit.errors import ModelError

Scope = Callable[[str], Any]
Value = Callable[[Scope], Any]
TIME = "<time>"
"""The name under which a scope has the time; no identifier of SBML looks like it."""
AVOGADRO = 6.02214179e23  # the value that SBML Level 3 prescribes


@dataclass(frozen=True)
class Relation:
    """A place where a formula switches: where ``difference`` crosses zero.

    ``equality`` marks == and !=, which hold at points only unless nothing varies in them.
    """

    text: str
    names: frozenset[str]
    difference: Value
    equality: bool = False


@dataclass(frozen=True)
class Formula:
    """A formula: the names that it looks up, its switches and its value in a scope.

    ``powers`` are the powers whose exponent is a name: the value of the base, and that name.
    """

    text: str
    names: frozenset[str]
    relations: tuple[Relation, ...]
    value: Value
    powers: tuple[tuple[Value, str], ...] = ()


_UNARY: dict[int, Callable[[Any], Any]] = {
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
    libsbml.AST_LOGICAL_NOT: jnp.logical_not,
}
_FOLDED: dict[int, tuple[Callable[[Any, Any], Any], Any]] = {
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
_POWERS = {libsbml.AST_POWER, libsbml.AST_FUNCTION_POWER}
_EQUALITIES = {libsbml.AST_RELATIONAL_EQ, libsbml.AST_RELATIONAL_NEQ}
_CONSTANTS: dict[int, Any] = {
    libsbml.AST_CONSTANT_PI: math.pi,
    libsbml.AST_CONSTANT_E: math.e,
    libsbml.AST_CONSTANT_TRUE: True,
    libsbml.AST_CONSTANT_FALSE: False,
    libsbml.AST_NAME_AVOGADRO: AVOGADRO,
}
_REFUSED = {
    libsbml.AST_FUNCTION_DELAY: "a delay: there are no delay differential equations here",
    libsbml.AST_FUNCTION_RATE_OF: "rateOf: write the rate itself",
    libsbml.AST_FUNCTION_FACTORIAL: "a factorial",
    **dict.fromkeys(
        (
            libsbml.AST_FUNCTION_FLOOR,
            libsbml.AST_FUNCTION_CEILING,
            libsbml.AST_FUNCTION_QUOTIENT,
            libsbml.AST_FUNCTION_REM,
        ),
        "a step function with any number of steps: write its steps with piecewise",
    ),
}


def formula(node: Any, where: str) -> Formula:
    """The formula of an ASTNode; `where` names the element in errors.

    Raises
    ------
    ModelError
        If the tree has something that is not supported.
    """
    if node is None:
        raise ModelError(f"{where} has no formula.")
    kind = node.getType()
    text = libsbml.formulaToL3String(node) or "?"
    if node.isNumber():
        return constant(node.getValue(), text)
    if kind in _CONSTANTS:
        return constant(_CONSTANTS[kind], text)
    if kind in (libsbml.AST_NAME, libsbml.AST_NAME_TIME):
        return name(TIME if kind == libsbml.AST_NAME_TIME else node.getName())
    parts = [formula(node.getChild(i), where) for i in range(node.getNumChildren())]
    value, own = _operation(node, kind, parts, text, where)
    by_name = kind in _POWERS and node.getChild(1).getType() == libsbml.AST_NAME
    power = [(parts[0].value, parts[1].text)] if by_name else []
    return Formula(
        text,
        frozenset().union(*(part.names for part in parts)),
        tuple(itertools.chain(*(part.relations for part in parts), own)),
        value,
        tuple(itertools.chain(*(part.powers for part in parts), power)),
    )


def constant(number: Any, text: str = "") -> Formula:
    """A number or a truth value."""
    return Formula(text or f"{number:g}", frozenset(), (), lambda scope: number)


def name(identifier: str) -> Formula:
    """A name that is looked up."""
    return Formula(identifier, frozenset({identifier}), (), lambda scope: scope(identifier))


def oriented(node: Any, where: str) -> Value | None:
    """What is positive where an inequality of two terms holds; None where `node` is none."""
    if node.getType() not in RELATIONS or node.getType() in _EQUALITIES:
        return None
    if node.getNumChildren() != 2:
        return None
    left, right = (formula(node.getChild(i), where).value for i in (0, 1))
    if node.getType() in (libsbml.AST_RELATIONAL_GT, libsbml.AST_RELATIONAL_GEQ):
        return lambda scope: left(scope) - right(scope)
    return lambda scope: right(scope) - left(scope)


def _operation(
    node: Any, kind: int, parts: list[Formula], text: str, where: str
) -> tuple[Value, list[Relation]]:
    """The value of an operation on `parts`, and where it switches by itself."""
    values = [part.value for part in parts]
    if kind in _UNARY:
        function = _UNARY[kind]
        switch = [Relation(text, parts[0].names, values[0])]
        own = switch if kind == libsbml.AST_FUNCTION_ABS else []
        return lambda scope: function(values[0](scope)), own
    if kind in _FOLDED:
        fold, start = _FOLDED[kind]
        pairs = list(itertools.combinations(parts, 2))
        switching = kind in (libsbml.AST_FUNCTION_MAX, libsbml.AST_FUNCTION_MIN)
        own = [_difference(a, b, f"{a.text} - {b.text}") for a, b in pairs] if switching else []
        if not values:
            return lambda scope: start, own
        return lambda scope: reduce(fold, (value(scope) for value in values)), own
    if kind in RELATIONS:
        compare = RELATIONS[kind]
        pairs = list(itertools.pairwise(parts))
        own = [_difference(a, b, text, kind in _EQUALITIES) for a, b in pairs]

        def holds(scope: Scope) -> Any:
            tests = [compare(a.value(scope), b.value(scope)) for a, b in pairs]
            return reduce(jnp.logical_and, tests)

        return holds, own
    if kind == libsbml.AST_FUNCTION_PIECEWISE:
        return _piecewise(values), []
    if kind == libsbml.AST_LOGICAL_IMPLIES:
        return lambda s: jnp.logical_or(jnp.logical_not(values[0](s)), values[1](s)), []
    arithmetic = _arithmetic(node, kind, values)
    if arithmetic is None:
        what = _REFUSED.get(kind, f"the function {node.getName() or text!r}")
        raise ModelError(f"{where}: the formula has {what}; this is not supported.")
    return arithmetic, []


def _arithmetic(node: Any, kind: int, values: list[Value]) -> Value | None:
    if kind == libsbml.AST_MINUS and len(values) == 1:
        return lambda scope: -values[0](scope)
    if kind == libsbml.AST_MINUS:
        return lambda scope: values[0](scope) - values[1](scope)
    if kind == libsbml.AST_DIVIDE:
        # Not the operator: numbers alone must give inf, not a ZeroDivisionError.
        return lambda scope: jnp.divide(values[0](scope), values[1](scope))
    if kind in _POWERS:
        exponent = _whole_number(node.getChild(1))
        if exponent is not None:  # products: smooth at zero, where x^y with a real y is not
            return lambda scope: jnp.asarray(values[0](scope), jnp.float64) ** exponent
        return lambda scope: jnp.power(values[0](scope), values[1](scope))
    if kind == libsbml.AST_FUNCTION_ROOT:
        degree = _whole_number(node.getChild(0)) if len(values) == 2 else 2
        if degree == 2:
            return lambda scope: jnp.sqrt(values[-1](scope))
        return lambda scope: jnp.power(values[1](scope), 1.0 / values[0](scope))
    if kind == libsbml.AST_FUNCTION_LOG:
        if len(values) == 1:
            return lambda scope: jnp.log(values[0](scope)) / math.log(10.0)
        return lambda scope: jnp.log(values[1](scope)) / jnp.log(values[0](scope))
    return None


def _piecewise(values: list[Value]) -> Value:
    """Value, condition, value, condition, ..., and the value elsewhere if there is one."""
    pairs = list(zip(values[::2], values[1::2], strict=False))
    otherwise = values[-1] if len(values) % 2 else None

    def value(scope: Scope) -> Any:
        result = otherwise(scope) if otherwise else math.nan
        for piece, condition in reversed(pairs):
            result = jnp.where(condition(scope), piece(scope), result)
        return result

    return value


def _difference(a: Formula, b: Formula, text: str, equality: bool = False) -> Relation:
    return Relation(text, a.names | b.names, lambda s: a.value(s) - b.value(s), equality)


def _whole_number(node: Any) -> int | None:
    """The value of a literal whole number, with or without a sign."""
    if node.getType() == libsbml.AST_MINUS and node.getNumChildren() == 1:
        inner = _whole_number(node.getChild(0))
        return None if inner is None else -inner
    if node.isNumber() and float(node.getValue()).is_integer():
        return int(node.getValue())
    return None
