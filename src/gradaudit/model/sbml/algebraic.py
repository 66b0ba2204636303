"""Algebraic rules 0 = F, solved for the variable that nothing else determines.

F must be linear in that variable, F = a x + b on the trees of libSBML, so that x = -b / a holds
exactly, and its sensitivities do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import libsbml

from gradaudit.errors import ModelError, first_few
from gradaudit.model.sbml.document import elements
from gradaudit.model.sbml.formula import formula
from gradaudit.model.sbml.symbols import Symbol

Linear = tuple[Any | None, Any | None]
"""The trees a and b of a x + b; None stands for 0."""


class _NotLinearError(Exception):
    pass


def solve_algebraic(model: Any, symbols: dict[str, Symbol], jumping: Iterable[str]) -> None:
    """Give each variable that an algebraic rule determines an assignment.

    Raises
    ------
    ModelError
        If a rule has no variable of its own, or is not linear in it.
    """
    rules = [
        rule.getMath()
        for rule in elements(model.getListOfRules())
        if rule.isAlgebraic() and rule.getMath() is not None
    ]
    if not rules:
        return
    reacting = {
        reference.getSpecies()
        for reaction in elements(model.getListOfReactions())
        for side in (reaction.getListOfReactants(), reaction.getListOfProducts())
        for reference in elements(side)
    }
    held = set(jumping) | {s for s in reacting if symbols[s].flow}
    free = {s.id for s in symbols.values() if not s.constant and not s.assignment and not s.rate}
    options = [sorted((_names(rule) & free) - held) for rule in rules]
    chosen = _matched(rules, options)
    for index, rule in enumerate(rules):
        where = f"the algebraic rule 0 = {libsbml.formulaToL3String(rule)}"
        if index not in chosen:
            raise ModelError(f"{where} {_why(options[index])}")
        a, b = linear(rule, chosen[index])
        solution = _number(0) if b is None else _quotient(_negative(b), a)
        symbols[chosen[index]].assignment = formula(solution, where)


def _why(options: list[str]) -> str:
    if not options:
        return (
            "has no variable that it alone determines: each of its names is constant, or has a "
            "rule, a reaction or an event. This is a differential-algebraic system, which is not "
            "supported. Write the constraint as a rate or assignment rule."
        )
    return (
        f"cannot be solved for {first_few(options)}: the rule is not linear in it, or "
        "another rule determines it. Solve it by hand, and write an assignment rule."
    )


def _matched(rules: list[Any], options: list[list[str]]) -> dict[int, str]:
    """One variable for each rule, no two the same, by augmenting paths."""
    owner: dict[str, int] = {}

    def place(index: int, tried: set[str]) -> bool:
        for name in options[index]:
            if name in tried or not _is_linear(rules[index], name):
                continue
            tried.add(name)
            if name not in owner or place(owner[name], tried):
                owner[name] = index
                return True
        return False

    for index in range(len(rules)):
        place(index, set())
    return {index: name for name, index in owner.items()}


def _is_linear(node: Any, variable: str) -> bool:
    try:
        return linear(node, variable)[0] is not None
    except _NotLinearError:
        return False


def linear(node: Any, variable: str) -> Linear:
    """a and b of a tree a x + b."""
    kind, count = node.getType(), node.getNumChildren()
    if variable not in _names(node):
        return None, node
    if kind == libsbml.AST_NAME:
        return _number(1), None
    parts = [linear(node.getChild(i), variable) for i in range(count)] if kind in _OPEN else []
    if kind == libsbml.AST_PLUS:
        return _sum([a for a, _ in parts]), _sum([b for _, b in parts])
    if kind == libsbml.AST_MINUS and count == 1:
        return tuple(None if x is None else _negative(x) for x in parts[0])  # type: ignore[return-value]
    if kind == libsbml.AST_MINUS:
        (a, b), (c, d) = parts
        return _sum([a, _negated(c)]), _sum([b, _negated(d)])
    if kind == libsbml.AST_TIMES and sum(a is not None for a, _ in parts) == 1:
        place = next(i for i, (a, _) in enumerate(parts) if a is not None)
        others = [node.getChild(i) for i in range(count) if i != place]
        return tuple(  # type: ignore[return-value]
            None if x is None else _node(libsbml.AST_TIMES, [x, *others]) for x in parts[place]
        )
    if kind == libsbml.AST_DIVIDE and parts[1][0] is None:
        below = node.getChild(1)
        return tuple(None if x is None else _quotient(x, below) for x in parts[0])  # type: ignore[return-value]
    raise _NotLinearError


_OPEN = {libsbml.AST_PLUS, libsbml.AST_MINUS, libsbml.AST_TIMES, libsbml.AST_DIVIDE}


def _names(node: Any) -> set[str]:
    """The names in a tree; rateOf(x) is a name of its own, which no rule determines."""
    if node.getType() == libsbml.AST_FUNCTION_RATE_OF:
        return set()
    own = {node.getName()} if node.getType() == libsbml.AST_NAME else set()
    return own.union(*(_names(node.getChild(i)) for i in range(node.getNumChildren())))


def _sum(nodes: list[Any | None]) -> Any | None:
    present = [node for node in nodes if node is not None]
    return _node(libsbml.AST_PLUS, present) if len(present) > 1 else (present or [None])[0]


def _negated(node: Any | None) -> Any | None:
    return None if node is None else _negative(node)


def _negative(node: Any) -> Any:
    return _node(libsbml.AST_MINUS, [node])


def _quotient(above: Any, below: Any) -> Any:
    if below.isNumber() and below.getValue() == 1:
        return above
    return _node(libsbml.AST_DIVIDE, [above, below])


def _number(number: int) -> Any:
    node = libsbml.ASTNode(libsbml.AST_INTEGER)
    node.setValue(number)
    return node


def _node(kind: int, children: list[Any]) -> Any:
    node = libsbml.ASTNode(kind)
    for child in children:
        node.addChild(child.deepCopy())
    return node
