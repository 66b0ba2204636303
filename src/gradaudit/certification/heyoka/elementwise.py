"""Elementwise JAX primitives as operations on heyoka expressions.

A value is a number of the target precision where it is a constant, else a heyoka expression.
Constants are combined as numbers, so that 0.1 + 0.2 is a sum of that precision.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import heyoka as hy
import numpy as np
from scipy import special

from gradaudit.errors import TranslationError

Scalar = Any
LARGEST_PRODUCT = 1024


def is_number(x: Scalar) -> bool:
    """Whether `x` is a constant of the target precision, not an expression."""
    return not isinstance(x, hy.expression)


def lift(x: Scalar) -> hy.expression:
    """The constant or expression `x` as an expression."""
    return hy.expression(x) if is_number(x) else x


def power(x: Scalar, n: int) -> Scalar:
    """x^n as products.

    heyoka's pow divides by its base, so that x^3 has no Taylor series at x = 0 and loses digits
    near it; gates that start closed are there.
    """
    if n < 0:
        return divide(None, power(x, -n))
    if n == 0:
        return x * 0 + 1 if is_number(x) else hy.expression(1.0)
    half = power(x, n // 2) if n > 1 else None
    if half is None:
        return x
    square = half * half
    return square * x if n % 2 else square


def divide(a: Scalar | None, b: Scalar) -> Scalar:
    """a / b, or 1 / b where a is None."""
    if is_number(b) and (a is None or is_number(a)):
        numerator = b * 0 + 1 if a is None else a
        with np.errstate(all="ignore"):
            return numerator / b
    return (hy.expression(1.0) if a is None else lift(a)) / lift(b)


def general_power(x: Scalar, y: Scalar) -> Scalar:
    """x^y: products where y is a small integer, heyoka's pow elsewhere."""
    if is_number(y) and abs(float(y)) <= LARGEST_PRODUCT and y == int(y):
        return power(x, int(y))
    if is_number(x) and is_number(y):
        with np.errstate(all="ignore"):
            # a Python float raises where the result is too large, and has complex roots
            return (np.float64(x) if isinstance(x, float) else x) ** y
    return lift(x) ** lift(y)


def _binary(op: Callable[[Any, Any], Any]) -> Callable[[Scalar, Scalar], Scalar]:
    def apply(a: Scalar, b: Scalar) -> Scalar:
        if is_number(a) and is_number(b):
            return op(a, b)
        return op(lift(a), lift(b))

    return apply


def _function(
    symbolic: Callable[[hy.expression], hy.expression],
    numeric: Callable[[Any], Any],
    *,
    double_only: bool = False,
) -> Callable[[Scalar], Scalar]:
    def apply(a: Scalar) -> Scalar:
        if is_number(a) and not (double_only and not isinstance(a, float)):
            with np.errstate(all="ignore"):
                return numeric(a)
        return symbolic(lift(a))

    return apply


def arctan2(y: Scalar, x: Scalar) -> Scalar:
    """The angle of (x, y), singular where it jumps and smooth everywhere else."""
    if isinstance(x, float) and isinstance(y, float):
        return np.arctan2(y, x)
    x, y = lift(x), lift(y)
    return hy.expression(2.0) * hy.atan(y / (hy.sqrt(x * x + y * y) + x))


def cube_root(x: Scalar) -> Scalar:
    """x^(1/3) of either sign."""
    if isinstance(x, float):
        return np.cbrt(x)
    third = hy.expression(1.0) / hy.expression(3.0)
    return lift(x) / (lift(x) * lift(x)) ** third


def log_add_exp(a: Scalar, b: Scalar) -> Scalar:
    """log(exp(a) + exp(b)), from the side of a constant: softplus(x) is then log1p(exp(x))."""
    if isinstance(a, float) and isinstance(b, float):
        return np.logaddexp(a, b)
    base, other = (b, a) if is_number(b) else (a, b)
    smooth = hy.log1p(hy.exp(RULES["sub"](lift(other), base)))
    return smooth if is_number(base) and base == 0 else lift(base) + smooth


RULES: dict[str, Callable[..., Scalar]] = {
    "add": _binary(operator.add),
    "add_any": _binary(operator.add),
    "sub": _binary(operator.sub),
    "mul": _binary(operator.mul),
    "div": divide,
    "pow": general_power,
    "neg": lambda a: -a,
    "square": lambda a: power(a, 2),
    "sqrt": _function(hy.sqrt, np.sqrt),
    "cbrt": cube_root,
    "atan2": arctan2,
    "rsqrt": lambda a: divide(None, RULES["sqrt"](a)),
    "exp": _function(hy.exp, np.exp),
    "exp2": _function(lambda a: hy.exp(a * hy.log(hy.expression(2.0))), np.exp2, double_only=True),
    "expm1": _function(hy.expm1, np.expm1),
    "log": _function(hy.log, np.log),
    "log1p": _function(hy.log1p, np.log1p),
    "sin": _function(hy.sin, np.sin),
    "cos": _function(hy.cos, np.cos),
    "tan": _function(hy.tan, np.tan),
    "asin": _function(hy.asin, np.arcsin),
    "acos": _function(hy.acos, np.arccos),
    "atan": _function(hy.atan, np.arctan),
    "sinh": _function(hy.sinh, np.sinh),
    "cosh": _function(hy.cosh, np.cosh),
    "tanh": _function(hy.tanh, np.tanh),
    "asinh": _function(hy.asinh, np.arcsinh),
    "acosh": _function(hy.acosh, np.arccosh),
    "atanh": _function(hy.atanh, np.arctanh),
    "logistic": _function(hy.sigmoid, special.expit, double_only=True),
    "erf": _function(hy.erf, special.erf, double_only=True),
    "erfc": _function(hy.erfc, special.erfc, double_only=True),
}

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}

# What a branch folds to where all its operands are constants.
CONSTANT_BRANCHES: dict[str, Callable[..., Any]] = {
    "max": lambda a, b: max(a, b),
    "min": lambda a, b: min(a, b),
    "abs": abs,
    "sign": lambda a: a * 0 + int(a > 0) - int(a < 0),
    "clamp": lambda low, a, high: low if a < low else min(a, high),
}

BRANCHES = (
    set(COMPARISONS)
    | set(CONSTANT_BRANCHES)
    | {"floor", "ceil", "round", "rem", "is_finite", "nextafter", "argmax", "argmin"}
    | {"reduce_max", "reduce_min", "cummax", "cummin", "sort", "reduce_and", "reduce_or"}
)


def refuse_branch(name: str, where: str) -> TranslationError:
    """The error for a primitive that switches with t, y or p."""
    return TranslationError(
        f"{where}: the primitive {name!r} switches branches where t, the state or a parameter "
        "crosses a threshold. A Taylor step follows the branch that it started on, which would be "
        "wrong without notice, so there is no certified reference for this model. Declare every "
        "threshold as an event that is zero there, "
        'events={"threshold": gradaudit.Event(when=lambda t, y, p: ...)}, or replace the switch '
        "by a smooth function."
    )


def equals(x: Scalar, value: int) -> bool:
    """Whether `x` is the constant `value`."""
    return is_number(x) and bool(x == value)


def sparse_multiply(a: Any, b: Any) -> Any:
    """Products with the zeros and ones of constant matrices need no arithmetic."""
    for constant, other in ((a, b), (b, a)):
        if equals(constant, 0) and not is_number(other):
            return constant
        if equals(constant, 1):
            return other
    return RULES["mul"](a, b)
