"""Primitives that switch branches: the decision, the result that follows, where it changes.

One table serves numbers of JAX, which may be traced, and expressions in any precision: what they
have in common is the algebra that they are given.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Number = Any
Decision = Any


class Algebra(Protocol):
    """What the table needs of a kind of numbers."""

    def add(self, a: Number, b: Number) -> Number: ...

    def subtract(self, a: Number, b: Number) -> Number: ...

    def multiply(self, a: Number, b: Number) -> Number: ...

    def floor(self, x: Number) -> Decision: ...

    def truncate(self, x: Number) -> Decision: ...

    def truth(self, decision: Decision) -> Any:
        """A decision of 0 or 1 as a boolean."""
        ...

    def number(self, decision: Decision) -> Number:
        """A decision as a number."""
        ...

    def pick(self, decision: Decision, cases: Mapping[int, Number]) -> Number:
        """The case that was decided for."""
        ...


@dataclass(frozen=True)
class Switch:
    """A primitive that switches.

    Attributes
    ----------
    decide
        From the algebra and the operands to the decision, a whole number.
    follow
        From the algebra, the decision and the operands to the result.
    boundaries
        From the same to what passes through 0 where the decision changes; none where it changes
        only at single points.
    """

    decide: Callable[..., Decision]
    follow: Callable[..., Number]
    boundaries: Callable[..., list[Number]]


def _difference(of: Algebra, decision: Decision, a: Number, b: Number) -> list[Number]:
    return [of.subtract(a, b)]


def _itself(of: Algebra, decision: Decision, x: Number) -> list[Number]:
    return [x]


def _nowhere(of: Algebra, decision: Decision, *operands: Number) -> list[Number]:
    return []


def _comparison(test: Callable[[Any, Any], Any]) -> Switch:
    # Equal numbers are met at points only, where nothing switches for any length of time.
    equality = test in (operator.eq, operator.ne)
    return Switch(
        decide=lambda of, a, b: test(a, b),
        follow=lambda of, decision, a, b: of.truth(decision),
        boundaries=_nowhere if equality else _difference,
    )


def _extremum(*, largest: bool) -> Switch:
    def follow(of: Algebra, less: Decision, a: Number, b: Number) -> Number:
        return of.pick(less, {0: a, 1: b} if largest else {0: b, 1: a})

    return Switch(lambda of, a, b: a < b, follow, _difference)


def _step(offset: float, decide: Callable[[Algebra, Number], Decision]) -> Switch:
    """An integer-valued step function that is k where k + offset <= x < k + offset + 1."""

    def boundaries(of: Algebra, decision: Decision, x: Number) -> list[Number]:
        low = of.number(decision)
        return [of.subtract(x, low + offset), of.subtract(x, low + (offset + 1.0))]

    return Switch(decide, lambda of, decision, x: of.number(decision), boundaries)


def _clamp_boundaries(
    of: Algebra, side: Decision, low: Number, x: Number, high: Number
) -> list[Number]:
    return [of.subtract(x, low), of.subtract(x, high)]


def _remainder(of: Algebra, multiple: Decision, x: Number, y: Number) -> Number:
    """x - k y with k = trunc(x / y): the sign of the result is that of x."""
    return of.subtract(x, of.multiply(of.number(multiple), y))


def _remainder_boundaries(of: Algebra, multiple: Decision, x: Number, y: Number) -> list[Number]:
    rest = _remainder(of, multiple, x, y)
    return [rest, of.subtract(rest, y), of.add(rest, y)]


SWITCHES: dict[str, Switch] = {
    "lt": _comparison(operator.lt),
    "le": _comparison(operator.le),
    "gt": _comparison(operator.gt),
    "ge": _comparison(operator.ge),
    "eq": _comparison(operator.eq),
    "ne": _comparison(operator.ne),
    "lt_to": _comparison(operator.lt),  # of numbers in their total order
    "le_to": _comparison(operator.le),
    "max": _extremum(largest=True),
    "min": _extremum(largest=False),
    "abs": Switch(
        decide=lambda of, x: x < 0,
        follow=lambda of, negative, x: of.pick(negative, {0: x, 1: -x}),
        boundaries=_itself,
    ),
    "sign": Switch(
        decide=lambda of, x: (x > 0) * 1 - (x < 0) * 1,
        follow=lambda of, sign, x: of.number(sign),
        boundaries=_itself,
    ),
    "clamp": Switch(
        decide=lambda of, low, x, high: (x > high) * 1 - (x < low) * 1,
        follow=lambda of, side, low, x, high: of.pick(side, {-1: low, 0: x, 1: high}),
        boundaries=_clamp_boundaries,
    ),
    "floor": _step(0.0, lambda of, x: of.floor(x)),
    "ceil": _step(-1.0, lambda of, x: -of.floor(-x)),
    "round": _step(-0.5, lambda of, x: of.floor(x + 0.5)),
    "rem": Switch(lambda of, x, y: of.truncate(x / y), _remainder, _remainder_boundaries),
}
"""By the name of the primitive."""
