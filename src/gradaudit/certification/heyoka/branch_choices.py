"""Primitives that switch: which branch is taken, and where another one begins.

Between two events a vector field stays on one branch of everything that switches in it. So it is
read twice: with numbers, at a point of the segment, which shows the choices; and with expressions,
which are given these choices and have no switch left. Where a choice would change is the zero of a
boundary, which is watched along the segment.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import heyoka as hy

from gradaudit.backend.jaxpr.switch_table import SWITCHES
from gradaudit.certification.heyoka import elementwise

Scalar = Any


class _Symbolic:
    """The algebra of the table on expressions and numbers of any precision."""

    def add(self, a: Scalar, b: Scalar) -> Scalar:
        return elementwise.RULES["add"](a, b)

    def subtract(self, a: Scalar, b: Scalar) -> Scalar:
        return elementwise.RULES["sub"](a, b)

    def multiply(self, a: Scalar, b: Scalar) -> Scalar:
        return elementwise.RULES["mul"](a, b)

    def floor(self, x: float) -> int:
        return math.floor(x)

    def truncate(self, x: float) -> int:
        return math.trunc(x)

    def truth(self, decision: int) -> bool:
        return bool(decision)

    def number(self, decision: int) -> float:
        return float(decision)

    def pick(self, decision: int, cases: Mapping[int, Scalar]) -> Scalar:
        return cases[decision]


SYMBOLIC = _Symbolic()
HANDLED = frozenset([*SWITCHES, "is_finite"])
"""Primitives that `Switches` takes a branch of; what is finite stays so within a segment."""


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
    places
        Of each boundary, to which choice it belongs.
    margins
        Of each choice whether its operands, which are numbers, make it too, and the values of its
        boundaries; None where nobody asks.
    """

    given: tuple[int, ...] | None = None
    taken: list[int] = field(default_factory=list)
    boundaries: list[tuple[str, hy.expression]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    margins: list[tuple[bool, list[float]]] | None = None

    def __call__(self, name: str, *operands: Scalar) -> Scalar:
        """The result of a switching primitive on scalars, on the branch that is chosen."""
        switch = SWITCHES.get(name)
        if self.given is not None:
            choice = self.given[len(self.taken)]
        elif switch is None:
            choice = int(math.isfinite(float(operands[0])))
        else:
            choice = int(switch.decide(SYMBOLIC, *(float(x) for x in operands)))
        self.taken.append(choice)
        if switch is None:
            if self.margins is not None:
                self.margins.append((True, []))
            return bool(choice)
        boundaries = switch.boundaries(SYMBOLIC, choice, *operands)
        moving = [(name, b) for b in boundaries if not elementwise.is_number(b)]
        self.boundaries += moving
        self.places += [len(self.taken) - 1] * len(moving)
        if self.margins is not None:
            # a choice without a boundary is another one at single points only
            own = not boundaries or choice == int(
                switch.decide(SYMBOLIC, *(float(x) for x in operands))
            )
            self.margins.append((own, [float(b) for b in boundaries]))
        return switch.follow(SYMBOLIC, choice, *operands)
