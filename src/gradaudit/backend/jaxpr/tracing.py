"""Tracing a function of a model into a jaxpr."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.errors import TranslationError


def trace(function: Callable[..., Any], sizes: Sequence[int | None], where: str) -> Any:
    """The jaxpr of a function of scalars (None) and vectors of the given sizes, in float64.

    Raises
    ------
    TranslationError
        If x64 is off.
    """
    if jax.dtypes.canonicalize_dtype(np.float64) != np.float64:
        raise TranslationError(
            f"{where}: JAX is in single precision, which rounds every literal to 7 digits. "
            'Set jax.config.update("jax_enable_x64", True) before tracing.'
        )
    shapes = [jax.ShapeDtypeStruct(() if s is None else (s,), jnp.float64) for s in sizes]
    return jax.make_jaxpr(function)(*shapes)
