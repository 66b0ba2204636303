"""Switches that do not look like one: the root of a square, the cut of an angle, a pole in one.

``sqrt(x**2)`` is |x|, and ``arctan2(y, x)`` jumps by 2 pi where y changes its sign left of 0; by pi
jump ``arctan(y / x)`` where x changes its sign and y does not, and ``arctan(tan(x))``, a saw tooth.
So does ``tanh(1 / x)``, as every function that has two ends, and ``isnan(sqrt(x))`` asks for the
sign of x. They are elementary functions to whatever follows them, and none is smooth. They are
looked for where branches are watched in JAX; a reference sees them by their effect
(`gradaudit.certification.step_inspection`).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from gradaudit.backend.jaxpr.switch_table import Algebra, Switch
from gradaudit.backend.jaxpr.walk import equations, inlined_body, inner_jaxprs


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
    """Whether an equation is the root of one of the variables `squares`, or 1 over that."""
    name = eqn.primitive.name
    root = name in ("sqrt", "rsqrt") or (name == "pow" and _is_half(eqn.invars[1]))
    return root and not isinstance(eqn.invars[0], Literal) and eqn.invars[0] in squares


def _is_half(exponent: Any) -> bool:
    return isinstance(exponent, Literal) and bool(np.all(np.abs(exponent.val) == 0.5))


def is_reciprocal(eqn: Any) -> bool:
    """Of a root: whether it is 1 over that."""
    name = eqn.primitive.name
    return name == "rsqrt" or (name == "pow" and bool(np.all(eqn.invars[1].val < 0)))


def has_pole(eqn: Any) -> bool:
    """Whether an equation is a tangent, or a quotient whose denominator may pass through 0."""
    return eqn.primitive.name in POLES and not isinstance(eqn.invars[-1], Literal)


def is_angle_of_pole(eqn: Any, poles: Any) -> bool:
    """Whether an equation is the arctangent of one of the variables `poles`."""
    if eqn.primitive.name != "atan" or isinstance(eqn.invars[0], Literal):
        return False
    return eqn.invars[0] in poles


ENDS = frozenset(["atan", "tanh", "erf", "erfc", "logistic", "exp", "exp2"])
"""Primitives with another value at infinity than at minus infinity, of which one is finite.

A sine is bounded as well, but oscillates at a pole: no solver passes that.
"""


def may_end_at_pole(jaxpr: Any) -> bool:
    """Whether what may have a pole and a function with two ends are both in a jaxpr."""
    own = list(equations(jaxpr))
    powers = (eqn.params["y"] < 0 for eqn in own if eqn.primitive.name == "integer_pow")
    poles = any(map(has_pole, own)) or any(powers)
    return poles and any(eqn.primitive.name in ENDS for eqn in own)


def may_have_root_of_square(jaxpr: Any) -> bool:
    """Whether a square and a root are both in a jaxpr."""
    own = list(equations(jaxpr))
    squares = any(squared(eqn) is not None for eqn in own)
    return squares and any(eqn.primitive.name in ("sqrt", "rsqrt", "pow") for eqn in own)


def asks_for_numbers(eqn: Any) -> bool:
    """Whether an equation asks if something is NaN or infinite."""
    name = eqn.primitive.name
    if name == "is_finite":
        return True
    if name not in ("eq", "ne") or not jnp.issubdtype(eqn.invars[0].aval.dtype, jnp.floating):
        return False
    numbers = [a.val for a in eqn.invars if isinstance(a, Literal)]
    return eqn.invars[0] is eqn.invars[1] or any(np.all(np.isinf(x)) for x in numbers)


def beyond_pole(eqn: Any, margins: tuple[Any, ...]) -> Switch:
    """A function of x with two ends, which goes on with that at which it arrives at a pole.

    Mirrored there: so the function and what it jumps by are the same at the pole.
    """

    def side(of: Algebra, x: Any) -> Any:
        return sum(2.0**k * (margin < 0) for k, margin in enumerate(margins)) + 0.0 * (x < 0)

    def follow(of: Algebra, decided: Any, x: Any) -> Any:
        mirrored = jnp.where(side(of, x) == decided, x, -x)
        return eqn.primitive.bind(mirrored, **eqn.params)

    return Switch(side, follow, lambda of, decided, x: list(margins))


def number_or_not(eqn: Any, ends: tuple[Any, ...]) -> Switch:
    """A question for NaN or infinity; `ends` are positive where the operand is a number.

    Where nothing says why the answer changes, the margin does so by its sign and has no slope: so
    the time of the switch is found, and that its derivative is not known.
    """

    def ask(of: Algebra, *values: Any) -> Any:
        return eqn.primitive.bind(*values, **eqn.params)

    def follow(of: Algebra, decided: Any, *values: Any) -> Any:
        return of.truth(decided)

    def margin(of: Algebra, decided: Any, *values: Any) -> list[Any]:
        bad = ask(of, *values) != (eqn.primitive.name != "ne" and not is_equality_of_two(eqn))
        told = jnp.where(bad, -1.0, 1.0)
        if not ends:
            return [told]
        least = ends[0]
        for other in ends[1:]:
            least = jnp.where(other < least, other, least)
        return [jnp.where(bad == (least < 0), least, told)]

    return Switch(ask, follow, margin)


def is_equality_of_two(eqn: Any) -> bool:
    """Whether an equation is true where a number is an infinite one."""
    return eqn.primitive.name == "eq" and eqn.invars[0] is not eqn.invars[1]


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
