"""Switches that do not look like one: the root of a square, the cut of an angle, a pole in one.

``sqrt(x**2)`` is |x|, and ``arctan2(y, x)`` jumps by 2 pi where y changes its sign left of 0; by pi
jump ``arctan(y / x)`` where x changes its sign and y does not, and ``arctan(tan(x))``, a saw tooth.
They are elementary functions to whatever follows them, and none is smooth. They are looked for
where branches are watched in JAX; a reference sees them by their effect
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


def has_pole(eqn: Any) -> bool:
    """Whether an equation is a tangent, or a quotient whose denominator may pass through 0."""
    return eqn.primitive.name in POLES and not isinstance(eqn.invars[-1], Literal)


def is_angle_of_pole(eqn: Any, poles: Any) -> bool:
    """Whether an equation is the arctangent of one of the variables `poles`."""
    if eqn.primitive.name != "atan" or isinstance(eqn.invars[0], Literal):
        return False
    return eqn.invars[0] in poles


def has_angle_of_pole(jaxpr: Any) -> bool:
    """Whether the arctangent of what may have a pole is taken anywhere in a jaxpr."""
    poles = {eqn.outvars[0] for eqn in jaxpr.eqns if has_pole(eqn)}
    return any(
        is_angle_of_pole(eqn, poles) or any(map(has_angle_of_pole, inner_jaxprs(eqn)))
        for eqn in jaxpr.eqns
    )


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


def _side_of_pole(of: Algebra, y: Any, x: Any) -> Any:
    return jnp.where(x < 0, -1, 1) + 0 * y


def _over_the_pole(of: Algebra, side: Any, y: Any, x: Any) -> Any:
    """The angle that goes on where x has changed its sign, as if y had not done so as well."""
    return jnp.arctan2(side * y, side * x)


def _tooth(of: Algebra, x: Any) -> Any:
    return jnp.round(x / np.pi)


def _on_tooth(of: Algebra, tooth: Any, x: Any) -> Any:
    return x - np.pi * tooth


def _tips(of: Algebra, tooth: Any, x: Any) -> list[Any]:
    return [x - np.pi * (tooth - 0.5), x - np.pi * (tooth + 0.5)]


POLES = {
    "div": Switch(_side_of_pole, _over_the_pole, lambda of, side, y, x: [x + 0 * y]),
    "tan": Switch(_tooth, _on_tooth, _tips),
}
"""The arctangent of what one of these primitives returns, as a switch in the operands of that."""
