"""Formulas as the text that CAPD reads, and what the operations of JAX are in it.

The text has numbers, names, + - * / ^ and a few functions. Numbers are written in hexadecimal,
which every rounding mode reads exactly, and everything else stands in brackets, so that nothing
depends on which operator CAPD looks for first. Operations on numbers are carried out here only
where the result is a double; otherwise CAPD encloses them.

CAPD knows equal texts as one expression, but a text has no names for what it uses twice. So texts
of formulas with much in common are long, and one that is too long is refused.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gradaudit.errors import TranslationError

LONGEST = 200_000
"""Characters of a formula; CAPD reads a text once for each pair of brackets around it."""


@dataclass(frozen=True)
class Term:
    """A formula.

    Attributes
    ----------
    text
        In CAPD's notation.
    value
        Of a number; None for what is more than a number.
    """

    text: str
    value: float | None = None


def number(value: float) -> Term:
    """A double, exactly.

    Raises
    ------
    TranslationError
        If it is infinite or NaN.
    """
    value = float(value)
    if not math.isfinite(value):
        raise TranslationError(f"the constant {value!r} has no enclosure.")
    return Term(f"({value.hex()})", value)


def composed(text: str) -> Term:
    """What is more than a number, in brackets.

    Raises
    ------
    TranslationError
        If the text is too long.
    """
    if len(text) > LONGEST:
        raise TranslationError(
            f"the text of the formula has more than {LONGEST} characters, as CAPD's notation has "
            "no names for what a formula uses several times."
        )
    return Term(f"({text})")


def folded(op: Callable[[Any, Any], Any], a: Term, b: Term) -> Term | None:
    """The result of exact arithmetic on two numbers if it is a double, else None."""
    if a.value is None or b.value is None:
        return None
    try:
        exact = op(Fraction(a.value), Fraction(b.value))
        rounded = float(exact)
    except (ZeroDivisionError, OverflowError):
        return None
    return number(rounded) if Fraction(rounded) == exact else None


def add(a: Term, b: Term) -> Term:
    """a + b."""
    if a.value == 0.0:
        return b
    if b.value == 0.0:
        return a
    return folded(operator.add, a, b) or composed(f"{a.text}+{b.text}")


def subtract(a: Term, b: Term) -> Term:
    """a - b."""
    if b.value == 0.0:
        return a
    if a.value == 0.0:
        return negative(b)
    return folded(operator.sub, a, b) or composed(f"{a.text}-{b.text}")


def multiply(a: Term, b: Term) -> Term:
    """a b; what is multiplied by the number 0 is left out."""
    for factor, other in ((a, b), (b, a)):
        if factor.value == 0.0:
            return factor
        if factor.value == 1.0:
            return other
    return folded(operator.mul, a, b) or composed(f"{a.text}*{b.text}")


def divide(a: Term, b: Term) -> Term:
    """a / b."""
    if b.value == 0.0:
        raise TranslationError("a division by the constant 0.")
    if b.value == 1.0 or a.value == 0.0:
        return a
    return folded(operator.truediv, a, b) or composed(f"{a.text}/{b.text}")


def negative(a: Term) -> Term:
    """-a."""
    return number(-a.value) if a.value is not None else composed(f"-{a.text}")


def power(a: Term, n: int) -> Term:
    """a^n of a whole number n."""
    if n < 0:
        return divide(ONE, power(a, -n))
    if n < 2:
        return a if n else ONE
    if a.value is not None:
        return folded(lambda x, _: x**n, a, a) or composed(f"{a.text}^{number(n).text}")
    return composed(f"{a.text}^{number(n).text}")


def general_power(a: Term, b: Term) -> Term:
    """a^b, of a positive a unless b is a whole number."""
    if b.value is not None and b.value == int(b.value) and abs(b.value) < LARGEST_POWER:
        return power(a, int(b.value))
    if b.value is not None:
        return composed(f"{a.text}^{b.text}")
    return function("exp")(multiply(b, function("log")(a)))


def function(name: str) -> Callable[[Term], Term]:
    """A function that CAPD has."""
    return lambda a: composed(f"{name}{a.text if a.text[0] == '(' else f'({a.text})'}")


ONE, TWO = number(1.0), number(2.0)
LARGEST_POWER = 1024
_exp, _log, _sqrt = function("exp"), function("log"), function("sqrt")


def _half(a: Term) -> Term:
    return multiply(number(0.5), a)


def _growth(a: Term) -> Term:
    """exp(2 a)."""
    return _exp(multiply(TWO, a))


def arctan2(y: Term, x: Term) -> Term:
    """The angle of (x, y): singular where it jumps, and on the rest of its axis of symmetry."""
    radius = _sqrt(add(power(x, 2), power(y, 2)))
    return multiply(TWO, function("atan")(divide(y, add(radius, x))))


def log_add_exp(a: Term, b: Term) -> Term:
    """log(exp(a) + exp(b)), from the side of a number: softplus(x) is log(1 + exp(x))."""
    base, other = (b, a) if b.value is not None else (a, b)
    return add(base, _log(add(ONE, _exp(subtract(other, base)))))


RULES: dict[str, Callable[..., Term]] = {
    "add": add,
    "add_any": add,
    "sub": subtract,
    "mul": multiply,
    "div": divide,
    "neg": negative,
    "pow": general_power,
    "square": lambda a: power(a, 2),
    "sqrt": _sqrt,
    "rsqrt": lambda a: divide(ONE, _sqrt(a)),
    "cbrt": lambda a: divide(a, _exp(divide(_log(power(a, 2)), number(3.0)))),
    "exp": _exp,
    "exp2": lambda a: _exp(multiply(a, _log(TWO))),
    "expm1": lambda a: subtract(_exp(a), ONE),
    "log": _log,
    "log1p": lambda a: _log(add(ONE, a)),
    "sin": function("sin"),
    "cos": function("cos"),
    "tan": lambda a: divide(function("sin")(a), function("cos")(a)),
    "asin": function("asin"),
    "acos": function("acos"),
    "atan": function("atan"),
    "atan2": arctan2,
    "sinh": lambda a: _half(subtract(_exp(a), _exp(negative(a)))),
    "cosh": lambda a: _half(add(_exp(a), _exp(negative(a)))),
    "tanh": lambda a: subtract(ONE, divide(TWO, add(_growth(a), ONE))),
    "asinh": lambda a: _log(add(a, _sqrt(add(power(a, 2), ONE)))),
    "acosh": lambda a: _log(add(a, _sqrt(subtract(power(a, 2), ONE)))),
    "atanh": lambda a: _half(_log(divide(add(ONE, a), subtract(ONE, a)))),
    "logistic": lambda a: divide(ONE, add(ONE, _exp(negative(a)))),
}
"""Elementwise primitives of JAX, each equal to the formula wherever the formula is defined."""
