"""Cancelling a name that is a factor of a formula, on trees of libSBML."""

from __future__ import annotations

from typing import Any

import libsbml


def without_factor(node: Any, factor: str) -> Any | None:
    """A tree divided by a name that is a factor of it, None where it is none.

    Kinetic laws are often a compartment's size times a rate per volume. Divided by that size in
    numbers, they would leave it as a parameter whose sensitivities are rounding errors.
    """
    kind, count = node.getType(), node.getNumChildren()
    if kind in (libsbml.AST_PLUS, libsbml.AST_MINUS):
        places = list(range(count))
    elif kind == libsbml.AST_TIMES:
        places = next(([i] for i in range(count) if _has_factor(node.getChild(i), factor)), [])
    else:
        places = [0] if kind == libsbml.AST_DIVIDE else []
    if not places:
        return _number_node(1) if _is_name(node, factor) else None
    result = node.deepCopy()
    for place in places:
        divided = without_factor(node.getChild(place), factor)
        if divided is None:
            return None
        result.replaceChild(place, divided, True)
    return result


def _has_factor(node: Any, factor: str) -> bool:
    return without_factor(node, factor) is not None


def _is_name(node: Any, identifier: str) -> bool:
    return node.getType() == libsbml.AST_NAME and node.getName() == identifier


def _number_node(number: int) -> Any:
    node = libsbml.ASTNode(libsbml.AST_INTEGER)
    node.setValue(number)
    return node
