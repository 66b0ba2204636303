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
    PIECES,
    QUAD,
    Precision,
    available,
    multiple,
    to_extended,
    to_float64,
    to_quad,
)
from gradaudit.certification.heyoka.translate import read, translate
from gradaudit.errors import GradauditError

FINE_BITS = 256
"""Of the fine precision where heyoka has such numbers: enough for any cancellation in float64."""

NUMPY_DOUBLE = Precision("double", np.float64, DOUBLE.bits)
"""Whose arithmetic gives NaN and infinity where that of Python's floats raises."""


class Evaluated(NamedTuple):
    """Values (T, A) and derivatives (T, A, size) by fine and by rough arithmetic, in long double.

    `finer` is the unit of the last place of the fine one over that of the rough one. `quad` has the
    former in quad precision where it has those digits.
    """

    value: Any
    slope: Any
    rough_value: Any
    rough_slope: Any
    finer: float
    quad: tuple[Any, Any] | None = None


Evaluate = Callable[[Any, Any], Evaluated]
Way = tuple[Callable[[Any, Any], Any], Precision]


def with_slopes(function: Callable[..., Any], size: int, where: str) -> list[Evaluate]:
    """Ways to the values and derivatives of ``function(z, t) -> (A,)``, the better one first.

    By expressions in many digits; and point by point in long double, which follows branches. Each
    from points (T, size), in long double or quad precision, and times (T,). A way that the function
    does not allow is left out; where there is no long double, there is none.

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
            given = LONG_DOUBLE if points.dtype == np.longdouble else QUAD
            rest = np.concatenate([points, given.array(times)[:, None]], axis=1).T
            inputs = precision.array(np.zeros(rest.shape))
            for _ in range(PIECES):
                piece = to_float64(rest)
                inputs, rest = inputs + precision.array(piece), rest - given.array(piece)
            return np.asarray(evaluate(np.ascontiguousarray(inputs))).T

        return at

    return _compared((compiled(fine), fine), (compiled(DOUBLE), DOUBLE), size)


def _by_numbers(function: Callable[..., Any], size: int, where: str) -> Evaluate:
    def every(z: Any, t: Any) -> Any:
        slope = jax.jacfwd(function)(z, t)
        return jnp.concatenate([function(z, t)[:, None], slope], axis=1).reshape(-1)

    closed = trace(every, [size, None], where)

    def by(precision: Precision) -> Callable[[Any, Any], Any]:
        def at(points: Any, times: Any) -> Any:
            found = np.full((len(points), closed.out_avals[0].size), np.nan, np.longdouble)
            if points.dtype != np.longdouble:
                points = to_extended(points, QUAD)
            for row, point, time in zip(found, points, times, strict=True):
                given = [[precision.number(x) for x in point], precision.number(time)]
                with suppress(GradauditError):  # of what has no number in this precision
                    values = read(closed, given, Interpreter(precision, where))
                    row[:] = [np.nan if isinstance(x, hy.expression) else x for x in values]
            return found

        return at

    fine, rough = (by(LONG_DOUBLE), LONG_DOUBLE), (by(NUMPY_DOUBLE), LONG_DOUBLE)
    return _compared(fine, rough, size, LONG_DOUBLE.eps / DOUBLE.eps)


def _compared(fine: Way, rough: Way, size: int, finer: float | None = None) -> Evaluate:
    """Both ways, each with the precision of its numbers."""
    ratio = fine[1].eps / rough[1].eps if finer is None else finer

    def evaluate(points: Any, times: Any) -> Evaluated:
        with np.errstate(all="ignore"):
            own, other = (
                by(points, times).reshape(len(points), -1, size + 1) for by, _ in (fine, rough)
            )
            a, b = to_extended(own, fine[1]), to_extended(other, rough[1])
            exact = None
            if fine[1].bits >= QUAD.bits and available(QUAD):
                quad = to_quad(own, fine[1])
                exact = quad[..., 0], quad[..., 1:]
        return Evaluated(a[..., 0], a[..., 1:], b[..., 0], b[..., 1:], ratio, exact)

    return evaluate
