"""Conditions: boolean formulas of comparisons, which can be asked on either side of a threshold."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax.numpy as jnp
import libsbml

from gradaudit.model.sbml.formula import Formula, Relation, formula
from gradaudit.model.sbml.functions import EQUALITIES, FOLDED, RELATIONS, Scope, Value


@dataclass(frozen=True)
class Atom:
    """A comparison of a difference with zero.

    Attributes
    ----------
    text
        As it is written.
    key
        The same for comparisons of the same difference, ``a < b`` and ``a >= b``.
    names
        What the difference looks up.
    difference, size
        Left side minus right side, and the larger of their absolute values.
    compare
        ``(difference, 0) -> bool``.
    rising
        The comparison is true where the difference is positive.
    strict
        It is false where the difference is zero.
    equality
        It is == or !=, or a number that is taken as a truth value.
    inner
        Switches within its two sides.
    """

    text: str
    key: str
    names: frozenset[str]
    difference: Value
    size: Value
    compare: Callable[[Any, Any], Any]
    rising: bool
    strict: bool
    equality: bool
    inner: tuple[Relation, ...] = ()

    def holds(self, difference: Any) -> Any:
        """Whether the comparison holds at a value of its difference."""
        return self.compare(difference, 0.0)

    def oriented(self, scope: Scope) -> Any:
        """Positive where the comparison holds, negative where it does not."""
        return self.difference(scope) if self.rising else -self.difference(scope)


Truth = Callable[[Atom], Any]


@dataclass(frozen=True)
class Condition:
    """A boolean formula; `evaluate` takes the truth of each of its atoms."""

    text: str
    atoms: tuple[Atom, ...]
    evaluate: Callable[[Truth], Any]

    @property
    def names(self) -> frozenset[str]:
        """What its atoms look up."""
        return frozenset().union(*(atom.names for atom in self.atoms))

    @property
    def single(self) -> Atom | None:
        """The only inequality, where the condition is no more than that."""
        atoms = self.atoms
        return atoms[0] if len(atoms) == 1 and self.text == atoms[0].text else None

    def holds(self, scope: Scope) -> Any:
        """Its truth in a scope."""
        return self.evaluate(lambda atom: atom.holds(atom.difference(scope)))


def condition(node: Any, where: str) -> Condition:
    """The condition of an ASTNode; `where` names the element in errors."""
    kind = node.getType()
    text = libsbml.formulaToL3String(node)
    if kind in (libsbml.AST_CONSTANT_TRUE, libsbml.AST_CONSTANT_FALSE):
        return _fixed(kind == libsbml.AST_CONSTANT_TRUE, text)
    if node.isNumber():
        return _fixed(node.getValue() != 0, text)
    children = [node.getChild(i) for i in range(node.getNumChildren())]
    if kind in RELATIONS:
        sides = [formula(child, where) for child in children]
        pairs = list(itertools.pairwise(sides))
        # formulaToL3String writes a == b == c in one; each pair is an atom of its own.
        atoms = [_atom(kind, a, b, text if len(pairs) == 1 else "") for a, b in pairs]
        return Condition(text, tuple(atoms), lambda truth: _all([truth(atom) for atom in atoms]))
    if kind not in _BOOLEAN:
        value = formula(node, where)
        atom = Atom(
            f"{text} != 0", text, value.names, value.value, value.value, jnp.not_equal,
            rising=True, strict=True, equality=True,
        )  # fmt: skip
        return Condition(text, (atom,), lambda truth: truth(atom))
    parts = [condition(child, where) for child in children]
    values = [part.evaluate for part in parts]
    found = tuple(atom for part in parts for atom in part.atoms)
    return Condition(text, found, _combined(kind, values))


_BOOLEAN = {
    libsbml.AST_LOGICAL_AND,
    libsbml.AST_LOGICAL_OR,
    libsbml.AST_LOGICAL_XOR,
    libsbml.AST_LOGICAL_NOT,
    libsbml.AST_LOGICAL_IMPLIES,
    libsbml.AST_FUNCTION_PIECEWISE,
}
_RISING = {libsbml.AST_RELATIONAL_GT, libsbml.AST_RELATIONAL_GEQ}
_STRICT = {libsbml.AST_RELATIONAL_GT, libsbml.AST_RELATIONAL_LT}


def _atom(kind: int, a: Formula, b: Formula, text: str) -> Atom:
    return Atom(
        text or f"{a.text} ? {b.text}",
        min(f"{a.text} - {b.text}", f"{b.text} - {a.text}"),
        a.names | b.names,
        lambda s: jnp.asarray(a.value(s) - b.value(s) * 1.0, jnp.float64),
        lambda s: jnp.maximum(jnp.abs(a.value(s) * 1.0), jnp.abs(b.value(s) * 1.0)),
        RELATIONS[kind],
        rising=kind in _RISING,
        strict=kind in _STRICT,
        equality=kind in EQUALITIES,
        inner=(*a.relations, *b.relations),
    )


def _fixed(value: bool, text: str) -> Condition:
    return Condition(text, (), lambda truth: value)


def _all(values: list[Any]) -> Any:
    result: Any = True
    for value in values:
        result = jnp.logical_and(result, value)
    return result


def _combined(kind: int, values: list[Callable[[Truth], Any]]) -> Callable[[Truth], Any]:
    if kind == libsbml.AST_LOGICAL_NOT:
        return lambda truth: jnp.logical_not(values[0](truth))
    if kind == libsbml.AST_LOGICAL_IMPLIES:
        return lambda truth: jnp.logical_or(jnp.logical_not(values[0](truth)), values[1](truth))
    if kind == libsbml.AST_FUNCTION_PIECEWISE:
        return lambda truth: _chosen([value(truth) for value in values])
    fold, start = FOLDED[kind]
    return lambda truth: reduce(fold, [value(truth) for value in values], start)


def _chosen(values: list[Any]) -> Any:
    """Of piece, condition, piece, condition, ..., else."""
    result = values[-1] if len(values) % 2 else False
    pairs = list(zip(values[::2], values[1::2], strict=False))
    for piece, holds in reversed(pairs):
        result = jnp.where(holds, piece, result)
    return result
