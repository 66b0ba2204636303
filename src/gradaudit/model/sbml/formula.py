"""From a MathML tree of libSBML to a function in jax.numpy.

A formula is built once, as closures that look names up in a scope, so that nothing of libSBML is
needed when a vector field is traced. Where it switches branches is kept beside it.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax.numpy as jnp
import libsbml

from gradaudit.errors import ModelError
from gradaudit.model.sbml.functions import (
    CONSTANTS,
    EQUALITIES,
    FOLDED,
    POWERS,
    RELATIONS,
    STEPS,
    UNARY,
    Scope,
    Value,
    arithmetic,
    factorial,
    step_crossing,
    step_function,
)

TIME = "<time>"
"""The name under which a scope has the time; no identifier of SBML looks like it."""


@dataclass(frozen=True)
class Relation:
    """A place where a formula switches: where ``difference`` crosses zero.

    ``equality`` marks == and !=, which hold at points only unless nothing varies in them; `inner`
    are the switches within a comparison; ``jumps`` is false where the formula has a kink only.
    """

    text: str
    names: frozenset[str]
    difference: Value
    equality: bool = False
    inner: tuple[Relation, ...] = ()
    jumps: bool = True


@dataclass(frozen=True)
class Formula:
    """A formula: the names that it looks up, its switches and its value in a scope.

    ``powers`` are the powers whose exponent is a name: the value of the base, and that name.
    ``untimed`` are the names outside of comparisons with the time; None: all of them.
    """

    text: str
    names: frozenset[str]
    relations: tuple[Relation, ...]
    value: Value
    powers: tuple[tuple[Value, str], ...] = ()
    untimed: frozenset[str] | None = None

    @property
    def names_untimed(self) -> frozenset[str]:
        """`untimed`, which None stands for."""
        return self.names if self.untimed is None else self.untimed


def formula(node: Any, where: str) -> Formula:
    """The formula of an ASTNode; `where` names the element in errors.

    Raises
    ------
    ModelError
        If the tree has something that is not supported.
    """
    if node is None:
        raise ModelError(f"{where} has no formula; give it one.")
    kind = node.getType()
    text = libsbml.formulaToL3String(node) or "?"
    if node.isNumber():
        return constant(node.getValue(), text)
    if kind in CONSTANTS:
        return constant(CONSTANTS[kind], text)
    if kind in (libsbml.AST_NAME, libsbml.AST_NAME_TIME):
        return name(TIME if kind == libsbml.AST_NAME_TIME else node.getName())
    if kind == libsbml.AST_FUNCTION_RATE_OF:
        return name(rate_of(node.getChild(0).getName()))
    parts = [formula(node.getChild(i), where) for i in range(node.getNumChildren())]
    value, own = _operation(node, kind, parts, text, where)
    by_name = kind in POWERS and node.getChild(1).getType() == libsbml.AST_NAME
    power = [(parts[0].value, parts[1].text)] if by_name else []
    names = frozenset[str]().union(*(part.names for part in parts))
    timed = kind in RELATIONS and TIME in names
    return Formula(
        text,
        names,
        tuple(itertools.chain(*(part.relations for part in parts), own)),
        value,
        tuple(itertools.chain(*(part.powers for part in parts), power)),
        frozenset() if timed else frozenset().union(*(part.names_untimed for part in parts)),
    )


def constant(number: Any, text: str = "") -> Formula:
    """A number or a truth value."""
    return Formula(text or f"{number:g}", frozenset(), (), lambda scope: number)


def name(identifier: str) -> Formula:
    """A name that is looked up."""
    return Formula(identifier, frozenset({identifier}), (), lambda scope: scope(identifier))


def rate_of(identifier: str) -> str:
    """The id of the rate of a quantity; no id of SBML has brackets."""
    return f"rateOf({identifier})"


def _operation(
    node: Any, kind: int, parts: list[Formula], text: str, where: str
) -> tuple[Value, list[Relation]]:
    """The value of an operation on `parts`, and where it switches by itself."""
    values = [part.value for part in parts]
    if kind in UNARY:
        function = UNARY[kind]
        switch = [Relation(text, parts[0].names, values[0], jumps=False)]
        own = switch if kind == libsbml.AST_FUNCTION_ABS else []
        return lambda scope: function(values[0](scope)), own
    if kind in FOLDED:
        fold, start = FOLDED[kind]
        pairs = list(itertools.combinations(parts, 2))
        switching = kind in (libsbml.AST_FUNCTION_MAX, libsbml.AST_FUNCTION_MIN)
        own = [_kink(a, b) for a, b in pairs] if switching else []
        if not values:
            return lambda scope: start, own
        return lambda scope: reduce(fold, (value(scope) for value in values)), own
    if kind in RELATIONS:
        compare = RELATIONS[kind]
        pairs = list(itertools.pairwise(parts))
        own = [_difference(a, b, text, kind in EQUALITIES) for a, b in pairs]

        def holds(scope: Scope) -> Any:
            tests = [compare(a.value(scope), b.value(scope)) for a, b in pairs]
            return reduce(jnp.logical_and, tests)

        return holds, own
    if kind == libsbml.AST_FUNCTION_PIECEWISE:
        return _piecewise(values), []
    if kind == libsbml.AST_LOGICAL_IMPLIES:
        return lambda s: jnp.logical_or(jnp.logical_not(values[0](s)), values[1](s)), []
    if kind in STEPS:
        names = frozenset().union(*(part.names for part in parts))
        return step_function(kind, values), [Relation(text, names, step_crossing(kind, values))]
    if kind == libsbml.AST_FUNCTION_FACTORIAL:
        return factorial(node.getChild(0), values[0]), []
    smooth = arithmetic(node, kind, values)
    if smooth is None:
        what = f"the function {node.getName() or text!r}"
        if kind == libsbml.AST_FUNCTION_DELAY:
            what = "a delay, which makes a delay differential equation"
        raise ModelError(f"{where}: the formula has {what}; this is not supported.")
    return smooth, []


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


def _difference(a: Formula, b: Formula, text: str, equality: bool) -> Relation:
    inner = (*a.relations, *b.relations)
    return Relation(
        text, a.names | b.names, lambda s: a.value(s) - b.value(s), equality=equality, inner=inner
    )


def _kink(a: Formula, b: Formula) -> Relation:
    text = f"{a.text} - {b.text}"
    return Relation(text, a.names | b.names, lambda s: a.value(s) - b.value(s), jumps=False)
