"""Arithmetic on object arrays: elementwise, sums and products over axes, contractions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
Op = Callable[..., Any]


def apply(op: Op, operands: list[Values]) -> Values:
    """`op` entry by entry, with broadcasting."""
    spread = np.broadcast_arrays(*operands)
    result = np.empty(spread[0].shape, dtype=object)
    for index in np.ndindex(result.shape):
        result[index] = op(*[operand[index] for operand in spread])
    return result


def contract(
    a: Values, b: Values, dimension_numbers: Any, *, add: Op, multiply: Op, zero: Any
) -> Values:
    """JAX's dot_general."""
    (contract_a, contract_b), (batch_a, batch_b) = dimension_numbers
    free_a = [i for i in range(a.ndim) if i not in (*contract_a, *batch_a)]
    free_b = [i for i in range(b.ndim) if i not in (*contract_b, *batch_b)]
    left = np.transpose(a, (*batch_a, *free_a, *contract_a))
    right = np.transpose(b, (*batch_b, *free_b, *contract_b))
    batch = left.shape[: len(batch_a)]
    rows = left.shape[len(batch_a) : len(batch_a) + len(free_a)]
    columns = right.shape[len(batch_b) : len(batch_b) + len(free_b)]
    length = int(np.prod([a.shape[i] for i in contract_a], dtype=int))
    pad_left = left.reshape(*batch, *rows, *(1 for _ in columns), length)
    pad_right = right.reshape(*batch, *(1 for _ in rows), *columns, length)
    terms = apply(multiply, [pad_left, pad_right])
    return fold(terms, (terms.ndim - 1,), add, zero)


def fold(x: Values, axes: Sequence[int], op: Op, start: Any) -> Values:
    """Combine over `axes`; `start` is the result of nothing."""
    kept = [i for i in range(x.ndim) if i not in axes]
    length = int(np.prod([x.shape[i] for i in axes], dtype=int))
    rows = np.transpose(x, (*kept, *axes)).reshape(*(x.shape[i] for i in kept), length)
    result = np.empty(rows.shape[:-1], dtype=object)
    for index in np.ndindex(result.shape):
        total = start
        for place, entry in enumerate(rows[index]):
            total = entry if place == 0 else op(total, entry)
        result[index] = total
    return result


def cumulate(x: Values, axis: int, reverse: bool, op: Op) -> Values:
    """Running combination along `axis`."""
    rows = np.moveaxis(np.array(x, dtype=object), axis, 0)
    if reverse:
        rows = rows[::-1]
    for place in range(1, len(rows)):
        for index in np.ndindex(rows.shape[1:]):
            rows[(place, *index)] = op(rows[(place - 1, *index)], rows[(place, *index)])
    return np.moveaxis(rows[::-1] if reverse else rows, 0, axis)
