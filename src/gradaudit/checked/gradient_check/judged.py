"""The gradient that is judged: the user's numbers, or what JAX makes of the function."""

from __future__ import annotations

from typing import Any

import jax
import jax.errors
import jax.numpy as jnp
import jax.tree_util as jtu
import numpy as np
from jax.flatten_util import ravel_pytree
from numpy.typing import NDArray

from gradaudit.checked.gradient_check.programs import Function, forward, reverse
from gradaudit.errors import SettingError

Array = NDArray[np.float64]

UNTRACED = (
    "fun cannot be traced by JAX, which the check needs: it gives a parameter to NumPy, SciPy or "
    "float(), or decides by it in Python (if, while). Use jax.numpy, jax.lax.cond and diffrax. JAX "
    "says: {first}"
)
REPLACED = (
    "fun fails when its solves are replaced by exact ones, as it does if it takes derivatives of a "
    "solve itself (jax.grad or jax.jacfwd inside of fun). It says: {text}"
)


def judged(function: Function, p: Any, gradient: Any) -> tuple[Array | None, str, str]:
    """The gradient (m,) in a row, where it comes from, or why there is none."""
    if gradient is not None:
        return _given(gradient, p), "the given gradient", ""
    try:
        shape = jax.eval_shape(function, p)
        require_scalar(shape)
    except SettingError:
        raise
    except Exception as error:
        return None, "", explained(error, function)
    try:
        found, source = reverse(function, p), "jax.grad (reverse mode)"
        jax.block_until_ready(found)
    except Exception as one:
        try:
            found, source = forward(function, p), "jax.jacfwd (reverse mode is not possible here)"
            jax.block_until_ready(found)
        except Exception as two:
            text = f"jax.grad fails: {first(one)} And jax.jacfwd fails: {first(two)}"
            return None, "", text
    return np.asarray(ravel_pytree(found)[0], dtype=float), source, ""


def _given(gradient: Any, p: Any) -> Array:
    """The user's gradient (m,) in a row."""
    form, like = _form(gradient), _form(p)
    if form != like:
        raise SettingError(
            f"gradient has to have the structure and shapes of p, {_shown(like)}, not "
            f"{_shown(form)}."
        )
    rows = [np.ravel(leaf) for leaf in jtu.tree_leaves(gradient)]
    for row in rows:
        if row.dtype.kind not in "fiuV":  # V: bfloat16 and the like
            raise SettingError(f"gradient has to be made of real numbers, not {row.dtype}.")
    return np.concatenate([row.astype(float) for row in rows])


def _form(tree: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Paths of the leaves, by keys, and their shapes; a list is like a tuple."""
    return [
        (jtu.keystr(path), np.shape(leaf)) for path, leaf in jtu.tree_flatten_with_path(tree)[0]
    ]


def _shown(form: list[tuple[str, tuple[int, ...]]]) -> str:
    return ", ".join(f"p{path} of shape {shape}" for path, shape in form) or "nothing"


def require_scalar(shape: Any) -> None:
    """Raise a `SettingError` for the shape and type of a result that is no real number."""
    if getattr(shape, "shape", None) != () or not jnp.issubdtype(shape.dtype, jnp.floating):
        raise SettingError(
            f"fun has to return one real number, not {shape.dtype} of shape {shape.shape}; for a "
            "Jacobian check the gradients of its entries, such as lambda p: fun(p)[i]."
        )


def explained(error: Exception, function: Function) -> str:
    """Why a user's function could not be evaluated, for people who do not know JAX well."""
    if isinstance(
        error, jax.errors.ConcretizationTypeError | jax.errors.TracerArrayConversionError
    ):
        return UNTRACED.format(first=first(error))
    kind, text = type(error).__name__, first(error)
    text = text if text == kind else f"{kind}: {text}"
    return f"fun fails: {text}" if function.jaxpr is None else REPLACED.format(text=text)


def first(error: Exception) -> str:
    """The first line of a message."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
