"""Functions that are evaluated once: compiled as quickly as may be, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from gradaudit.backend.jax_setup import UNOPTIMISED, compile_for

MANY = 1500
"""From so many equations on a program compiles for longer than its operations do one by one.

A pair of rates and Jacobian, seconds of processor time compiled and by operations: 83 equations
0.1 and 1.7, 152 0.4 and 4.8, 208 1.1 and 1.8, 2910 6.6 and 2.9, 4432 9.8 and 7.5.
"""


def evaluated(function: Callable[..., Any], *arguments: Any) -> Any:
    """`function(*arguments)` as JAX computes it, arrays in and out.

    Operation by operation every kind and shape of operation is compiled apart, a hundred for a
    model of three states.
    """
    if len(jax.make_jaxpr(function)(*arguments).eqns) >= MANY:
        return function(*arguments)
    return compile_for(function, arguments, UNOPTIMISED)(*arguments)
