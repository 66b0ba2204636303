"""Is a function of a model pure? What its traces show, and what it leaves behind in Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np

from gradaudit.backend.jaxpr.walk import equations, inner_jaxprs

_ADDRESS = re.compile(r"0x[0-9a-f]+")
_MOST_ENTRIES = 10_000  # of a container or an array that is looked into


def effects(closed: Any) -> list[str]:
    """Names of primitives that call back into Python, or otherwise have an effect."""
    return sorted(
        {
            equation.primitive.name
            for equation in equations(closed.jaxpr)
            if not list(inner_jaxprs(equation))
            and (equation.effects or "callback" in equation.primitive.name)
        }
    )


def constants(closed: Any) -> list[np.ndarray]:
    """Every constant and literal, as arrays."""
    arrays = [np.asarray(value) for value in closed.consts]
    for equation in equations(closed.jaxpr):
        arrays += [np.asarray(atom.val) for atom in equation.invars if hasattr(atom, "val")]
        for value in equation.params.values():
            arrays += [np.asarray(constant) for constant in getattr(value, "consts", ())]
    return arrays


def types(closed: Any) -> set[str]:
    """Names of the types of all values."""
    atoms = [*closed.jaxpr.constvars, *closed.jaxpr.outvars]
    for equation in equations(closed.jaxpr):
        atoms += [*equation.invars, *equation.outvars]
    return {str(atom.aval.dtype) for atom in atoms if hasattr(atom.aval, "dtype")}


def same(one: Any, other: Any) -> bool:
    """Whether two traces of one function do the same with the same constants."""
    if _wiring(one.jaxpr) != _wiring(other.jaxpr):
        return False
    pairs = zip(constants(one), constants(other), strict=True)
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


def _wiring(jaxpr: Any) -> list[Any]:
    """Primitives, their parameters and which value goes where, by the order of appearance."""
    numbers: dict[Any, int] = {}

    def number(atom: Any) -> Any:
        return "constant" if hasattr(atom, "val") else numbers.setdefault(atom, len(numbers))

    lines: list[Any] = [[number(v) for v in (*jaxpr.constvars, *jaxpr.invars)]]
    for equation in jaxpr.eqns:
        params = {
            key: _ADDRESS.sub("", repr(value))
            for key, value in equation.params.items()
            if "jaxpr" not in key
        }
        atoms = [number(v) for v in (*equation.invars, *equation.outvars)]
        lines.append((equation.primitive.name, atoms, params))
        lines += [_wiring(inner) for inner in inner_jaxprs(equation)]
    lines.append([number(v) for v in jaxpr.outvars])
    return lines


def python_state(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function, and those of its file that it calls, could have changed, by name.

    Globals that it names, variables of enclosing functions, attributes and default arguments; a
    container with its entries by identity, an array with its bytes.
    """
    fingerprints: dict[str, Any] = {}
    waiting, seen = [function], set()
    while waiting:
        current: Any = waiting.pop()
        current = getattr(current, "__wrapped__", current)
        if not isinstance(current, FunctionType) or id(current) in seen:
            continue
        seen.add(id(current))
        for name, value in _reachable(current):
            fingerprints[name] = _fingerprint(value)
            if (
                isinstance(value, FunctionType)
                and value.__code__.co_filename == current.__code__.co_filename
            ):
                waiting.append(value)
    return fingerprints


def _reachable(function: FunctionType) -> Iterator[tuple[str, Any]]:
    yield function.__name__, function
    for name in function.__code__.co_names:
        if name in function.__globals__:
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    for value in function.__defaults__ or ():
        yield f"a default argument of {function.__name__}", value


def _fingerprint(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | complex() | str():
            return repr(value)
        case np.ndarray():
            return (id(value), value.tobytes() if value.size <= _MOST_ENTRIES else b"")
        case list() | tuple() | set() | frozenset():
            return (len(value), [id(x) for x in value] if len(value) <= _MOST_ENTRIES else [])
        case dict():
            small = len(value) <= _MOST_ENTRIES
            return (len(value), [(id(k), id(x)) for k, x in value.items()] if small else [])
    attributes = getattr(value, "__dict__", None)
    if isinstance(attributes, dict) and not hasattr(value, "__file__"):  # modules stay out
        return {name: _shallow(entry) for name, entry in attributes.items()}
    return id(value)


def _shallow(value: Any) -> Any:
    if isinstance(value, (list, set, dict, tuple)):
        return (id(value), len(value))
    return id(value)
