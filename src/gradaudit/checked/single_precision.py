"""Numbers in single precision: given so, or rounded to it by functions of a user's own program.

No estimate sees that: both of its solves round alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from gradaudit.backend.jaxpr.walk import equations
from gradaudit.errors import ModelWarning

LOOKED_AT = 100
"""Different numbers of an array in which those that were rounded are looked for."""


def tell_of_rounding(leaf: Any, name: str) -> None:
    """Warn of numbers that were rounded to single precision: they are taken for exact here."""
    single = getattr(leaf, "dtype", None) == np.float32
    if not single or isinstance(leaf, jax.core.Tracer):
        return
    # 0.1 was rounded, and 1.5 was not: the shortest text of the one is another number.
    values = np.unique(np.asarray(leaf))[:LOOKED_AT]
    finite = values[np.isfinite(values)]
    rounded = next((value for value in finite if float(str(value)) != float(value)), None)
    if rounded is not None:
        warnings.warn(
            f"{name} is float32 and has {float(rounded)!r}, which was rounded from "
            f"{rounded!s}; the rounded number is taken for exact. JAX makes float32 "
            "arrays until double precision is switched on, and the first use of gradaudit is too "
            "late for those made before: begin the script with "
            "jax.config.update('jax_enable_x64', True).",
            ModelWarning,
            stacklevel=4,
        )


def tell_of_casts(name: str, function: Callable[..., Any], *arguments: Any) -> None:
    """Warn of a function that casts what it is given to a type of fewer digits.

    Parameters
    ----------
    name
        Of the argument that the function was given as.
    function, arguments
        The function, and arrays of the shapes that it is called with, which may be traced.
    """
    shapes = [jax.ShapeDtypeStruct(jnp.shape(x), jnp.result_type(x)) for x in arguments]
    closed = jax.make_jaxpr(function)(*shapes)
    narrow = next((kind for eqn in equations(closed.jaxpr) if (kind := _narrowed(eqn))), None)
    if narrow is not None:
        warnings.warn(
            f"{name} rounds to {narrow}, to {jnp.finfo(narrow).precision} digits. The estimated "
            "error and the interval do not include this rounding: digits beyond it do not hold, "
            "whatever rtol is. Compute in float64, without casts.",
            ModelWarning,
            stacklevel=2,
        )


def _narrowed(eqn: Any) -> str | None:
    """The type that an equation casts a number in double precision to, if it has fewer digits."""
    if eqn.primitive.name != "convert_element_type" or isinstance(eqn.invars[0], Literal):
        return None
    before, after = eqn.invars[0].aval.dtype, eqn.params["new_dtype"]
    if before != jnp.float64 or not jnp.issubdtype(after, jnp.floating) or after == before:
        return None
    return str(jnp.dtype(after))
