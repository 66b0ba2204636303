"""Switches that do not look like one: the root of a square, and the cut of an angle.

``sqrt(x**2)`` is |x|, and ``arctan2(y, x)`` jumps by 2 pi where y changes its sign left of 0. Both
are elementary functions to whatever follows them, and neither is smooth. They are looked for where
branches are watched in JAX; a reference sees them by their effect
(`gradaudit.certification.step_inspection`).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from gradaudit.backend.jaxpr.switch_table import Algebra, Switch
from gradaudit.backend.jaxpr.walk import inlined_body, inner_jaxprs


def squared(eqn: Any) -> int | None:
    """The position of the operand x among those of an equation that computes x^2, else None."""
    body = inlined_body(eqn)
    if body is not None:
        inner = getattr(body, "jaxpr", body)
        if len(inner.eqns) != 1 or inner.outvars[0] is not inner.eqns[0].outvars[0]:
            return None
        position = squared(inner.eqns[0])
        operand = None if position is None else inner.eqns[0].invars[position]
        return next((i for i, invar in enumerate(inner.invars) if invar is operand), None)
    name = eqn.primitive.name
    doubled = name == "mul" and eqn.invars[0] is eqn.invars[1]
    if doubled or name == "square" or (name == "integer_pow" and eqn.params["y"] == 2):
        return 0
    return None


def is_root_of(eqn: Any, squares: Any) -> bool:
    """Whether an equation is the root of one of the variables `squares`."""
    if eqn.primitive.name != "sqrt" or isinstance(eqn.invars[0], Literal):
        return False
    return eqn.invars[0] in squares


def has_root_of_square(jaxpr: Any) -> bool:
    """Whether the root of a square is taken anywhere in a jaxpr."""
    squares = {eqn.outvars[0] for eqn in jaxpr.eqns if squared(eqn) is not None}
    return any(
        is_root_of(eqn, squares) or any(map(has_root_of_square, inner_jaxprs(eqn)))
        for eqn in jaxpr.eqns
    )


def _side(of: Algebra, y: Any, x: Any) -> Any:
    """Above the cut, below it, or right of it."""
    return jnp.where(x < 0, jnp.where(y < 0, -1, 1), 0)


def _angle(of: Algebra, side: Any, y: Any, x: Any) -> Any:
    """The angle that goes on over the cut."""
    return jnp.arctan2(y, x) + 2.0 * np.pi * jnp.where(_side(of, y, x) * side < 0, side, 0)


def _cut(of: Algebra, side: Any, y: Any, x: Any) -> list[Any]:
    return [jnp.where(x < 0, y, jnp.abs(x) + jnp.abs(y))]


ANGLE = Switch(_side, _angle, _cut)
"""The primitive ``atan2`` of traced arrays."""
