"""Which parameters a traced function reads, from the structure of its jaxpr.

A value is a boolean array with one more axis than the value itself: which parameters each entry
depends on. Where a primitive is not known, every entry of its result depends on all that goes in,
so that a parameter may be taken for used though it is not, and never the other way round.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Marks = NDArray[np.bool_]

_ELEMENTWISE = frozenset(
    [
        "abs", "acos", "acosh", "add", "add_any", "and", "asin", "asinh", "atan", "atan2",
        "atanh", "cbrt", "ceil", "clamp", "convert_element_type", "copy", "cos", "cosh",
        "div", "eq", "erf", "erf_inv", "erfc", "exp", "exp2", "expm1", "floor", "ge", "gt",
        "integer_pow", "is_finite", "le", "lgamma", "log", "log1p", "logistic", "lt", "max",
        "min", "mul", "ne", "neg", "not", "or", "pow", "rem", "round", "rsqrt", "select_n",
        "sign", "sin", "sinh", "sqrt", "square", "stop_gradient", "sub", "tan", "tanh",
        "xor",
    ]
)  # fmt: skip


def parameters_read(closed: Any, argument: int, size: int) -> Marks:
    """Which of `size` parameters a result depends on, (size,) booleans.

    Parameters
    ----------
    closed
        A ClosedJaxpr.
    argument
        Position of the vector of parameters, (size,), among its inputs.
    """
    inputs = [np.zeros((*v.aval.shape, size), dtype=bool) for v in closed.jaxpr.invars]
    inputs[argument] = np.eye(size, dtype=bool)
    read = np.zeros(size, dtype=bool)
    for marks in _run(closed.jaxpr, inputs, size):
        read |= marks.reshape(-1, size).any(axis=0)
    return read


def _run(jaxpr: Any, inputs: list[Marks], size: int) -> list[Marks]:
    known: dict[Any, Marks] = dict(zip(jaxpr.invars, inputs, strict=True))

    def look(atom: Any) -> Marks:
        if hasattr(atom, "val") or atom not in known:  # a literal or a constant
            return np.zeros((*atom.aval.shape, size), dtype=bool)
        return known[atom]

    for equation in jaxpr.eqns:
        operands = [look(atom) for atom in equation.invars]
        known.update(zip(equation.outvars, _apply(equation, operands, size), strict=True))
    return [look(atom) for atom in jaxpr.outvars]


def _apply(equation: Any, operands: list[Marks], size: int) -> list[Marks]:
    name, params = equation.primitive.name, equation.params
    shapes = [(*v.aval.shape, size) for v in equation.outvars]
    inner = params.get("jaxpr", params.get("call_jaxpr"))
    if name in ("jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call") and inner:
        return _run(getattr(inner, "jaxpr", inner), operands, size)
    if name in _ELEMENTWISE:
        whole = np.zeros(shapes[0], dtype=bool)
        for marks in operands:
            whole |= marks
        return [whole]
    structural = _structural(name, params, operands, shapes[0]) if shapes else None
    if structural is not None:
        return [structural]
    everything = np.zeros(size, dtype=bool)
    for marks in operands:
        everything |= marks.reshape(-1, size).any(axis=0)
    return [np.broadcast_to(everything, shape) for shape in shapes]


def _structural(name: str, params: Any, operands: list[Marks], shape: Any) -> Marks | None:
    """Primitives that move entries and compute nothing."""
    first = operands[0] if operands else np.zeros(shape, dtype=bool)
    match name:
        case "slice":
            strides = params["strides"] or [1] * (first.ndim - 1)
            limits = zip(params["start_indices"], params["limit_indices"], strides, strict=True)
            return first[tuple(slice(*limit) for limit in limits)]
        case "squeeze" | "reshape" if not params.get("dimensions") or name == "squeeze":
            return first.reshape(shape)
        case "concatenate":
            return np.concatenate(operands, axis=params["dimension"])
        case "stack":
            return np.stack(operands, axis=params["axis"])
        case "transpose":
            return first.transpose(*params["permutation"], first.ndim - 1)
        case "broadcast_in_dim":
            placed = [1] * (len(shape) - 1) + [shape[-1]]
            for position, dimension in enumerate(params["broadcast_dimensions"]):
                placed[dimension] = first.shape[position]
            return np.broadcast_to(first.reshape(placed), shape)
    return None
