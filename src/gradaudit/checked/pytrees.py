"""Pytrees of real numbers as vectors and back."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import jax
import jax.numpy as jnp
import jax.tree_util as jtu
import numpy as np
from jax.flatten_util import ravel_pytree

from gradaudit.checked.single_precision import tell_of_rounding
from gradaudit.errors import SettingError


def as_floats(tree: Any, name: str) -> Any:
    """The pytree with every leaf an array of the default float type.

    Raises
    ------
    SettingError
        If a leaf is no real number, or there is none.
    """

    def convert(leaf: Any) -> jax.Array:
        leaf = _native(leaf, name)
        kind = jnp.result_type(leaf)
        if not jnp.issubdtype(kind, jnp.floating):
            hint = ": write 1.0, not 1" if jnp.issubdtype(kind, jnp.integer) else ""
            raise SettingError(
                f"{name} has to be made of real floating-point numbers, not {kind}{hint}."
            )
        return jnp.asarray(leaf, dtype=float)

    if not any(jnp.size(leaf) for leaf in jtu.tree_leaves(tree)):
        raise SettingError(f"{name} has no numbers in it.")
    return jtu.tree_map(convert, tree)


def of_numbers(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a compiled function of pytrees by these names take any real numbers of numpy.

    JAX has no type for numbers in another order of bytes, as files of FITS and NetCDF have them. It
    refuses them at the first call, and at a later one takes their bytes for those of other numbers.
    """

    def native(tree: Any, name: str) -> Any:
        return jtu.tree_map(lambda leaf: _native(leaf, name), tree)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def called(*trees: Any, **named: Any) -> Any:
            own = [native(tree, name) for tree, name in zip(trees, names, strict=False)]
            given = {name: native(tree, name) for name, tree in named.items()}
            return function(*own, *trees[len(names) :], **given)

        return called

    return decorate


def _native(leaf: Any, name: str) -> Any:
    """A number, or an array, of a type that JAX has."""
    tell_of_rounding(leaf, name)
    if isinstance(leaf, str):  # JAX would read it as the name of a type
        raise SettingError(f"{name} has to be made of real floating-point numbers, not str.")
    if not isinstance(leaf, (np.ndarray, np.generic)):
        return leaf
    if leaf.dtype.kind not in "fiubcV":
        kind = leaf.dtype.name
        raise SettingError(f"{name} has to be made of real floating-point numbers, not {kind}.")
    known = leaf.dtype.isnative and leaf.dtype.itemsize <= 8
    return leaf if known or leaf.dtype.kind != "f" else leaf.astype(np.float64)


def _shown(tree: Any) -> str:
    """What a pytree is, in words: its type and the shapes of its leaves."""
    shapes = [jnp.shape(leaf) for leaf in jtu.tree_leaves(tree)]
    if jtu.treedef_is_leaf(jtu.tree_structure(tree)):
        return f"an array of shape {shapes[0]}"
    return f"a {type(tree).__name__} of arrays of shapes {', '.join(map(str, shapes))}"


def to_vector(tree: Any, like: Any, name: str) -> jax.Array:
    """The leaves of `tree` in a row, after a look at whether it is a tree `like` that one."""
    shapes = [
        (jtu.tree_structure(one), [jnp.shape(leaf) for leaf in jtu.tree_leaves(one)])
        for one in (tree, like)
    ]
    if shapes[0] != shapes[1]:
        hint = ""
        if isinstance(tree, list | tuple) != isinstance(like, list | tuple):
            hint = " Make one array of several numbers: y0 by jnp.array([...]), dy/dt by jnp.stack."
        raise SettingError(
            f"{name} has to have the structure and shapes of y0, {_shown(like)}, not "
            f"{_shown(tree)}.{hint}"
        )
    kinds = {jnp.result_type(leaf) for leaf in jtu.tree_leaves(tree)}
    if any(jnp.issubdtype(kind, jnp.complexfloating) for kind in kinds):
        raise SettingError(
            f"{name} is complex, and states are real: make the real and the imaginary part two "
            "states."
        )
    # rates that are computed in single precision belong to states in double precision
    return ravel_pytree(tree)[0].astype(float)


def from_columns(matrix: jax.Array, unravel: Callable[[jax.Array], Any]) -> Any:
    """A pytree from vectors in the last axis (..., m): its leaves have shape (..., *shape)."""
    rows = matrix.reshape(-1, matrix.shape[-1])
    return jtu.tree_map(
        lambda leaf: leaf.reshape(*matrix.shape[:-1], *leaf.shape[1:]), jax.vmap(unravel)(rows)
    )
