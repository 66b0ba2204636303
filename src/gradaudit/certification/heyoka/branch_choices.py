"""Primitives that switch: which branch is taken, and where another one begins.

Between two events a vector field stays on one branch of everything that switches in it. So it is
read twice: with numbers, at a point of the segment, which shows the choices; and with expressions,
which are given these choices and have no switch left. Where a choice would change is the zero of a
boundary, which is watched along the segment.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import heyoka as hy

from gradaudit.certification.heyoka import elementwise

Scalar = Any


@dataclass
class Switches:
    """The choices of one reading of a function, in the order in which they are met.

    Attributes
    ----------
    given
        The choices to take; where None, those that the numbers show.
    taken
        The choices that were taken.
    boundaries
        ``(primitive, expression)``: a choice changes where its expression crosses zero.
    """

    given: tuple[int, ...] | None = None
    taken: list[int] = field(default_factory=list)
    boundaries: list[tuple[str, hy.expression]] = field(default_factory=list)

    def __call__(self, name: str, *operands: Scalar) -> Scalar:
        """The result of a switching primitive on scalars, on the branch that is chosen."""
        choose, follow = RULES[name]
        if self.given is not None:
            choice = self.given[len(self.taken)]
        else:
            choice = choose(*(float(x) for x in operands))
        self.taken.append(choice)
        result, boundaries = follow(choice, *operands)
        self.boundaries += [(name, b) for b in boundaries if not elementwise.is_number(b)]
        return result


def _less(a: float, b: float) -> int:
    return int(a < b)


def _minus(a: Scalar, b: Scalar) -> Scalar:
    return elementwise.RULES["sub"](a, b)


def _comparison(test: Callable[[float, float], bool]) -> tuple[Any, Any]:
    return (
        lambda a, b: int(test(a, b)),
        lambda choice, a, b: (bool(choice), [_minus(a, b)]),
    )


def _equality(test: Callable[[float, float], bool]) -> tuple[Any, Any]:
    """Equal numbers are met at points only, where nothing switches for any length of time."""
    return lambda a, b: int(test(a, b)), lambda choice, a, b: (bool(choice), [])


def _follow_sign(choice: int, x: Scalar) -> tuple[Scalar, list[Scalar]]:
    return float(choice), [x]


def _follow_clamp(choice: int, low: Scalar, x: Scalar, high: Scalar) -> tuple[Scalar, list[Scalar]]:
    return (low, x, high)[choice + 1], [_minus(x, low), _minus(x, high)]


def _follow_integer(offset: float) -> Callable[[int, Scalar], tuple[Scalar, list[Scalar]]]:
    """An integer-valued step function that is k where k + offset <= x < k + offset + 1."""

    def follow(choice: int, x: Scalar) -> tuple[Scalar, list[Scalar]]:
        low = choice + offset
        return float(choice), [_minus(x, low), _minus(x, low + 1.0)]

    return follow


def _choose_rem(x: float, y: float) -> int:
    return math.trunc(x / y)


def _follow_rem(choice: int, x: Scalar, y: Scalar) -> tuple[Scalar, list[Scalar]]:
    """x - k y with k = trunc(x / y): the sign of the result is that of x."""
    rest = _minus(x, elementwise.RULES["mul"](float(choice), y))
    return rest, [rest, _minus(rest, y), elementwise.RULES["add"](rest, y)]


RULES: dict[str, tuple[Callable[..., int], Callable[..., tuple[Scalar, list[Scalar]]]]] = {
    "lt": _comparison(lambda a, b: a < b),
    "le": _comparison(lambda a, b: a <= b),
    "gt": _comparison(lambda a, b: a > b),
    "ge": _comparison(lambda a, b: a >= b),
    "eq": _equality(lambda a, b: a == b),
    "ne": _equality(lambda a, b: a != b),
    "max": (_less, lambda choice, a, b: (b if choice else a, [_minus(a, b)])),
    "min": (_less, lambda choice, a, b: (a if choice else b, [_minus(a, b)])),
    "abs": (lambda x: int(x < 0), lambda choice, x: (-x if choice else x, [x])),
    "sign": (lambda x: int(x > 0) - int(x < 0), _follow_sign),
    "clamp": (lambda low, x, high: -int(x < low) or int(x > high), _follow_clamp),
    "floor": (math.floor, _follow_integer(0.0)),
    "ceil": (math.ceil, _follow_integer(-1.0)),
    "round": (lambda x: math.floor(x + 0.5), _follow_integer(-0.5)),
    "rem": (_choose_rem, _follow_rem),
    "is_finite": (lambda x: int(math.isfinite(x)), lambda choice, x: (bool(choice), [])),
}
"""By primitive: the choice from numbers; result and boundaries from the choice."""
