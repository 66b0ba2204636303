"""Which parameters a traced function reads, from the structure of its jaxpr.

A value is a boolean array with one more axis than the value itself: which parameters each entry
depends on. Where a primitive is not known, every entry of its result depends on all that goes in,
so that a parameter may be taken for used though it is not, and never the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.evaluator import Evaluator

Marks = NDArray[np.bool_]

LONGEST_FOLLOWED = 100
"""In a longer scan everything is taken to depend on everything that goes in."""

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
    for marks in _Dependence(size).evaluate(closed, inputs):
        read |= marks.reshape(-1, size).any(axis=0)
    return read


class _Dependence(Evaluator[Marks]):
    """Evaluates a jaxpr on marks of `size` parameters."""

    def __init__(self, size: int) -> None:
        self.size = size

    def constant(self, value: Any) -> Marks:
        return np.zeros((*np.shape(value), self.size), dtype=bool)

    def stack(self, rows: Sequence[Marks]) -> Marks:
        return np.stack(rows)

    def scan(self, eqn: Any, values: list[Marks]) -> list[Marks]:
        short = 0 < eqn.params["length"] <= LONGEST_FOLLOWED
        return self.unrolled(eqn, values) if short else self.primitive(eqn, values)

    def primitive(self, eqn: Any, values: list[Marks]) -> list[Marks]:
        name, params, size = eqn.primitive.name, eqn.params, self.size
        shapes = [(*v.aval.shape, size) for v in eqn.outvars]
        if name in _ELEMENTWISE:
            whole = np.zeros(shapes[0], dtype=bool)
            for marks in values:
                whole |= marks
            return [whole]
        structural = _structural(name, params, values, shapes[0]) if shapes else None
        if structural is not None:
            return [structural]
        everything = np.zeros(size, dtype=bool)
        for marks in values:
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
