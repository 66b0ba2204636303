"""Quotients of x and exp(x) - 1, which are smooth at x = 0 and have no usable series there.

A Taylor series of a quotient is found by dividing by the value of the denominator. Next to a
removable singularity that value is tiny, rounding takes over the coefficients, and every step ends
a little closer to the singularity: a solve does not get past it. The rates of Hodgkin and Huxley
are of that kind, and the voltage crosses their singularities in every spike. So such quotients are
written as an expression without a division by what vanishes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import heyoka as hy

from gradaudit.certification.heyoka import elementwise

Scalar = Any

HALVINGS, DEGREE = 20, 16


def growth(x: hy.expression) -> hy.expression:
    """(exp(x) - 1) / x, smooth at 0.

    It is the product of (exp(x / 2^k) + 1) / 2 over k = 1, 2, ..., 20, times itself at x / 2^20,
    where it is its series up to degree 16, which is cut off below 1e-33 for |x| < 1e5.
    """
    small = x * hy.expression(2.0**-HALVINGS)
    ratio: hy.expression = hy.expression(1.0)
    for k in range(DEGREE + 1, 1, -1):
        # 1 + (x / k) (1 + ...): the series by Horner, with divisors that are exact
        ratio = 1.0 + small * ratio / hy.expression(float(k))
    for k in range(1, HALVINGS + 1):
        # each exponential by itself: by squaring, the rounding errors of the first would double
        ratio = ratio * (hy.exp(x * hy.expression(2.0**-k)) + 1.0) * hy.expression(0.5)
    return ratio


@dataclass
class Quotients:
    """What is known of the expressions of one reading, by their identity.

    Attributes
    ----------
    multiples
        An expression that is ``factor * base``, as (itself, factor, base).
    differences
        An expression that is ``sign * (exp(x) - 1)``, as (itself, sign, x).
    """

    multiples: dict[int, tuple[hy.expression, Scalar, hy.expression]] = field(default_factory=dict)
    differences: dict[int, tuple[hy.expression, int, hy.expression]] = field(default_factory=dict)

    def multiple(self, result: Scalar, factor: Scalar, x: Scalar) -> Scalar:
        """Take down that `result` is `factor` times `x`."""
        if not elementwise.is_number(result) and not elementwise.is_number(x):
            inner, base = self._split(x)
            self.multiples[id(result)] = (result, factor * inner, base)
        return result

    def difference(self, result: Scalar, sign: int, x: Scalar) -> Scalar:
        """Take down that `result` is ``sign * (exp(x) - 1)``."""
        if not elementwise.is_number(result):
            self.differences[id(result)] = (result, sign, x)
        return result

    def quotient(self, a: Scalar, b: Scalar) -> Scalar | None:
        """a / b where one of them is a multiple of x and the other of exp(x) - 1; else None."""
        for top, bottom, invert in ((a, b, True), (b, a, False)):
            factor, base = self._split(bottom)
            known = self.differences.get(id(base))
            if known is None or elementwise.is_number(top):
                continue
            _, sign, x = known
            above, over = self._split(top)
            inside, under = self._split(x)
            if over != under:
                continue
            # top / bottom = (above / inside) x / (factor sign (exp(x) - 1))
            constant = elementwise.divide(above, inside * factor * sign)
            if invert:
                return elementwise.lift(constant) / growth(x)
            return growth(x) * elementwise.lift(elementwise.divide(None, constant))
        return None

    def _split(self, x: Scalar) -> tuple[Scalar, Scalar]:
        known = self.multiples.get(id(x))
        return (1.0, x) if known is None else (known[1], known[2])
