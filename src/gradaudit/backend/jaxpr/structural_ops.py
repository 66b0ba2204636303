"""JAX primitives that move values about, done on object arrays.

The common ones are a line of numpy each. The rare ones (gather, scatter, pad, ...) are run by JAX
itself on an array of positions, which says where every entry of the result comes from: the
semantics are JAX's own by construction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.errors import TranslationError

Values = NDArray[Any]


def _slice(x: Values, *, start_indices: Any, limit_indices: Any, strides: Any, **_: Any) -> Values:
    steps = strides or (1,) * x.ndim
    return x[tuple(slice(*ends) for ends in zip(start_indices, limit_indices, steps, strict=True))]


def _broadcast(x: Values, *, shape: Any, broadcast_dimensions: Any, **_: Any) -> Values:
    expanded = [1] * len(shape)
    for axis, size in zip(broadcast_dimensions, x.shape, strict=True):
        expanded[axis] = size
    return np.broadcast_to(x.reshape(expanded), shape)


def _split(x: Values, *, sizes: Any, axis: int, **_: Any) -> list[Values]:
    return np.split(x, np.cumsum(sizes)[:-1], axis=axis)


COMMON: dict[str, Callable[..., Any]] = {
    "slice": _slice,
    "squeeze": lambda x, *, dimensions, **_: x.reshape(
        [size for axis, size in enumerate(x.shape) if axis not in dimensions]
    ),
    "reshape": lambda x, *, new_sizes, **_: x.reshape(new_sizes),
    "expand_dims": lambda x, *, dimensions, **_: np.expand_dims(x, tuple(dimensions)),
    "broadcast_in_dim": _broadcast,
    "concatenate": lambda *xs, dimension, **_: np.concatenate(xs, axis=dimension),
    "stack": lambda *xs, axis, **_: np.stack(xs, axis=axis),
    "transpose": lambda x, *, permutation, **_: np.transpose(x, permutation),
    "rev": lambda x, *, dimensions, **_: np.flip(x, tuple(dimensions)),
    "unstack": lambda x, *, axis, **_: [
        part.squeeze(axis) for part in np.split(x, x.shape[axis], axis=axis)
    ],
    "tile": lambda x, *, reps, **_: np.tile(x, reps),
    "split": _split,
    "copy": lambda x, **_: x,
    "copy_p": lambda x, **_: x,
    "name": lambda x, **_: x,
    "optimization_barrier": lambda *xs, **_: list(xs),
}

# The arguments that carry values; the others are indices and must be constants.
BY_POSITION: dict[str, tuple[int, ...]] = {
    "pad": (0, 1),
    "gather": (0,),
    "scatter": (0, 2),
    "dynamic_slice": (0,),
    "dynamic_update_slice": (0, 1),
}


def by_position(eqn: Any, arguments: list[Values], where: str) -> Values:
    """Move values as the primitive of `eqn` moves their positions.

    Raises
    ------
    TranslationError
        If an index depends on t, y or p, or the result has entries that come from nowhere.
    """
    name = eqn.primitive.name
    carriers = BY_POSITION[name]
    for index, argument in enumerate(arguments):
        if index not in carriers and argument.dtype == object:
            raise TranslationError(
                f"{where}: the primitive {name!r} has an index that depends on t, the state or a "
                "parameter. Index with constants."
            )
    pool: list[Any] = []
    positions: list[Any] = []
    for index, argument in enumerate(arguments):
        if index in carriers:
            labels = np.arange(len(pool), len(pool) + argument.size).reshape(argument.shape)
            pool.extend(argument.reshape(-1))
            positions.append(labels)
        else:
            positions.append(argument)
    params = dict(eqn.params)
    if name == "gather" and params.get("fill_value") is not None:
        params["fill_value"] = -1
    moved = np.asarray(eqn.primitive.bind(*positions, **params))
    if moved.size and (moved.min() < 0 or moved.max() >= len(pool)):
        raise TranslationError(f"{where}: the primitive {name!r} reads out of bounds.")
    result = np.empty(moved.shape, dtype=object)
    for place, position in np.ndenumerate(moved):
        result[place] = pool[int(position)]
    return result
