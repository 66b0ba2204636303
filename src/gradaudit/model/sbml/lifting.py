"""Branches out of comparisons: a > piecewise(b, c, d) becomes (c and a > b) or (not c and a > d).

A comparison then has two smooth sides, so the function that is zero where it switches is smooth,
too. Branches are `piecewise`, `abs`, `min` and `max`, written in the comparison or in an assignment
rule or a kinetic law that it looks up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import libsbml

from gradaudit.errors import ModelError
from gradaudit.model.sbml.document import elements

MOST_BRANCHES = 64
"""Comparisons that one may become; with more the file is refused."""

_RELATIONS = {
    libsbml.AST_RELATIONAL_LT,
    libsbml.AST_RELATIONAL_LEQ,
    libsbml.AST_RELATIONAL_GT,
    libsbml.AST_RELATIONAL_GEQ,
    libsbml.AST_RELATIONAL_EQ,
    libsbml.AST_RELATIONAL_NEQ,
}
_EXTREMA = {
    libsbml.AST_FUNCTION_MAX: libsbml.AST_RELATIONAL_GEQ,
    libsbml.AST_FUNCTION_MIN: libsbml.AST_RELATIONAL_LEQ,
}
_BRANCHING = {libsbml.AST_FUNCTION_PIECEWISE, libsbml.AST_FUNCTION_ABS, *_EXTREMA}

Cases = list[tuple[Any | None, Any]]


def lift_branches(model: Any) -> None:
    """Rewrite all formulas of a model of libSBML in place."""
    definitions = _definitions(model)
    for element in _with_math(model):
        if element.getMath() is not None:
            element.setMath(lifted(element.getMath(), definitions))


def lifted(node: Any, definitions: Mapping[str, Any]) -> Any:
    """A copy of a tree without branches in its comparisons."""
    if node.getType() in _RELATIONS:
        whole = _inlined(node, definitions)
        parts = _split(whole)
        if len(parts) > MOST_BRANCHES:
            raise ModelError(
                f"the comparison {libsbml.formulaToL3String(node)!r} has more than "
                f"{MOST_BRANCHES} branches; write it with fewer."
            )
        if len(parts) > 1:
            terms = [_joined(libsbml.AST_LOGICAL_AND, part) for part in parts]
            return lifted(_joined(libsbml.AST_LOGICAL_OR, terms), {})
        return node.deepCopy()
    copy = node.deepCopy()
    _lift_within(copy, definitions)
    return copy


def _lift_within(node: Any, definitions: Mapping[str, Any]) -> None:
    """In place, since each copy of a tree copies all of it."""
    for index in range(node.getNumChildren()):
        child = node.getChild(index)
        if child.getType() in _RELATIONS:
            node.replaceChild(index, lifted(child, definitions), True)
        else:
            _lift_within(child, definitions)


def _split(relation: Any) -> list[list[Any]]:
    """The cases of a comparison, each as conditions and comparison that all hold in it."""
    place = _first_branch(relation)
    if place is None:
        return [[relation]]
    found: list[list[Any]] = []
    earlier: list[Any] = []
    for condition, value in _cases(_at(relation, place)):
        replaced = relation.deepCopy()
        parent = _at(replaced, place[:-1])
        parent.replaceChild(place[-1], value.deepCopy(), True)
        own = [] if condition is None else [condition.deepCopy()]
        before = [_joined(libsbml.AST_LOGICAL_NOT, [c.deepCopy()]) for c in earlier]
        for rest in _split(replaced):
            found.append([*before, *own, *rest])
            if len(found) > MOST_BRANCHES:
                return found
        if condition is not None:
            earlier.append(condition)
    return found


def _cases(node: Any) -> Cases:
    """(condition, value) in the order in which they count; the last may have no condition."""
    kind = node.getType()
    children = [node.getChild(i) for i in range(node.getNumChildren())]
    if kind == libsbml.AST_FUNCTION_PIECEWISE:
        cases: Cases = list(zip(children[1::2], children[::2], strict=False))
        return [*cases, (None, children[-1])] if len(children) % 2 else cases
    if kind == libsbml.AST_FUNCTION_ABS:
        zero = libsbml.parseL3Formula("0")
        negative = _joined(libsbml.AST_MINUS, [children[0].deepCopy()])
        compare = _joined(libsbml.AST_RELATIONAL_GEQ, [children[0].deepCopy(), zero])
        return [(compare, children[0]), (None, negative)]
    first, *rest = children
    if not rest:
        return [(None, first)]
    other = rest[0] if len(rest) == 1 else _joined(kind, [r.deepCopy() for r in rest])
    compare = _joined(_EXTREMA[kind], [first.deepCopy(), other.deepCopy()])
    return [(compare, first), (None, other)]


def _first_branch(node: Any) -> tuple[int, ...] | None:
    for index in range(node.getNumChildren()):
        child = node.getChild(index)
        if child.getType() in _BRANCHING and child.getNumChildren():
            return (index,)
        deeper = _first_branch(child)
        if deeper is not None:
            return (index, *deeper)
    return None


def _at(node: Any, place: tuple[int, ...]) -> Any:
    for index in place:
        node = node.getChild(index)
    return node


def _joined(kind: int, children: list[Any]) -> Any:
    single = kind in (libsbml.AST_LOGICAL_AND, libsbml.AST_LOGICAL_OR) and len(children) == 1
    if single:
        return children[0]
    node = libsbml.ASTNode(kind)
    for child in children:
        node.addChild(child.deepCopy())
    return node


def _inlined(node: Any, definitions: Mapping[str, Any]) -> Any:
    """A copy with the names that are defined with branches replaced by their definitions."""
    if node.getType() == libsbml.AST_NAME and node.getName() in definitions:
        return definitions[node.getName()].deepCopy()
    copy = node.deepCopy()
    if definitions:
        _inline_within(copy, definitions)
    return copy


def _inline_within(node: Any, definitions: Mapping[str, Any]) -> None:
    for index in range(node.getNumChildren()):
        child = node.getChild(index)
        if child.getType() == libsbml.AST_NAME and child.getName() in definitions:
            node.replaceChild(index, definitions[child.getName()].deepCopy(), True)
        else:
            _inline_within(child, definitions)


def _names(node: Any) -> Iterator[str]:
    if node.getType() == libsbml.AST_NAME:
        yield node.getName()
    for index in range(node.getNumChildren()):
        yield from _names(node.getChild(index))


def _definitions(model: Any) -> dict[str, Any]:
    """Assignment rules and kinetic laws that branch, by id, without names of each other."""
    rules = {
        rule.getVariable(): rule.getMath()
        for rule in elements(model.getListOfRules())
        if rule.isAssignment() and rule.getMath() is not None
    }
    for reaction in elements(model.getListOfReactions()):
        if reaction.isSetKineticLaw() and reaction.getKineticLaw().getMath() is not None:
            rules[reaction.getId()] = reaction.getKineticLaw().getMath()
    found: dict[str, Any] = {}
    seen: set[str] = set()

    def settle(name: str) -> None:
        """Those that it looks up first; SBML has no order of rules and no cycles."""
        if name in seen:
            return
        seen.add(name)
        math = rules[name]
        used = {other for other in _names(math) if other in rules}
        for other in used:
            settle(other)
        branches = math.getType() in _BRANCHING or _first_branch(math) is not None
        if branches or not used.isdisjoint(found):
            found[name] = _inlined(math, found)

    for name in rules:
        settle(name)
    return found


def _with_math(model: Any) -> Iterator[Any]:
    yield from elements(model.getListOfRules())
    yield from elements(model.getListOfInitialAssignments())
    for reaction in elements(model.getListOfReactions()):
        if reaction.isSetKineticLaw():
            yield reaction.getKineticLaw()
    for event in elements(model.getListOfEvents()):
        yield from elements(event.getListOfEventAssignments())
        for part in (event.getTrigger(), event.getDelay(), event.getPriority()):
            if part is not None:
                yield part
