"""Functions written in jax.numpy, evaluated with their first derivatives in two precisions."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import heyoka as hy
import jax
import jax.numpy as jnp
import numpy as np

from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.certification.heyoka.interpreter import Interpreter
from gradaudit.certification.heyoka.precision import (
    DOUBLE,
    LONG_DOUBLE,
    QUAD,
    Precision,
    available,
    multiple,
    to_extended,
)
from gradaudit.certification.heyoka.translate import read, translate
from gradaudit.errors import GradauditError

FINE_BITS = 256
"""Of the fine precision where heyoka has such numbers: enough for any cancellation in float64."""

NUMPY_DOUBLE = Precision("double", np.float64, DOUBLE.bits)
"""Whose arithmetic gives NaN and infinity where that of Python's floats raises."""


class Evaluated(NamedTuple):
    """Values (T, A) and derivatives (T, A, size) by fine and by rough arithmetic, in long double.

    `finer` is the unit of the last place of the fine one over that of the rough one.
    """

    value: Any
    slope: Any
    rough_value: Any
    rough_slope: Any
    finer: float


Evaluate = Callable[[Any, Any], Evaluated]


def with_slopes(function: Callable[..., Any], size: int, where: str) -> list[Evaluate]:
    """Ways to the values and derivatives of ``function(z, t) -> (A,)``, the better one first.

    By expressions in many digits; and point by point in long double, which follows branches. Each
    from points (T, size) and times (T,). A way that the function does not allow is left out; where
    there is no long double, there is none.

    Parameters
    ----------
    size
        Of z.
    where
        Named in errors.
    """
    if not available(LONG_DOUBLE):
        return []
    ways = []
    for make in (_by_expressions, _by_numbers):
        try:
            ways.append(make(function, size, where))
        except GradauditError:
            continue
    return ways


def _by_expressions(function: Callable[..., Any], size: int, where: str) -> Evaluate:
    fine = multiple(FINE_BITS) if hasattr(hy, "real") else QUAD
    fine = fine if available(fine) else LONG_DOUBLE
    z, t = [hy.expression(f"z{i}") for i in range(size)], hy.expression("t")

    def compiled(precision: Precision) -> Callable[[Any, Any], Any]:
        rows = translate(function, [z, t], precision=precision, where=where)
        tensors = hy.diff_tensors(rows, diff_args=z, diff_order=1)
        every = [e for row, own in zip(rows, tensors.jacobian, strict=True) for e in (row, *own)]
        evaluate = hy.cfunc(every, [*z, t], compact_mode=True, **precision.options)

        def at(points: Any, times: Any) -> Any:
            given = np.column_stack([points, times]).astype(np.longdouble).T
            high = given.astype(np.float64)
            low = (given - high).astype(np.float64)
            inputs = precision.array(high) + precision.array(low)
            return to_extended(np.asarray(evaluate(np.ascontiguousarray(inputs))).T, precision)

        return at

    return _compared(compiled(fine), compiled(DOUBLE), size, fine.eps / DOUBLE.eps)


def _by_numbers(function: Callable[..., Any], size: int, where: str) -> Evaluate:
    def every(z: Any, t: Any) -> Any:
        slope = jax.jacfwd(function)(z, t)
        return jnp.concatenate([function(z, t)[:, None], slope], axis=1).reshape(-1)

    closed = trace(every, [size, None], where)

    def by(precision: Precision) -> Callable[[Any, Any], Any]:
        def at(points: Any, times: Any) -> Any:
            found = np.full((len(points), closed.out_avals[0].size), np.nan, np.longdouble)
            for row, point, time in zip(found, points, times, strict=True):
                given = [[precision.number(x) for x in point], precision.number(time)]
                with suppress(GradauditError):  # of what has no number in this precision
                    values = read(closed, given, Interpreter(precision, where))
                    row[:] = [np.nan if isinstance(x, hy.expression) else x for x in values]
            return found

        return at

    return _compared(by(LONG_DOUBLE), by(NUMPY_DOUBLE), size, LONG_DOUBLE.eps / DOUBLE.eps)


def _compared(fine: Any, rough: Any, size: int, finer: float) -> Evaluate:
    def evaluate(points: Any, times: Any) -> Evaluated:
        with np.errstate(all="ignore"):
            a, b = (by(points, times).reshape(len(points), -1, size + 1) for by in (fine, rough))
        return Evaluated(a[..., 0], a[..., 1:], b[..., 0], b[..., 1:], finer)

    return evaluate
