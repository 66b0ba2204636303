"""Functions written in jax.numpy, compiled with their first derivatives in two precisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import heyoka as hy
import numpy as np

from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE, available
from gradaudit.certification.heyoka.translate import translate
from gradaudit.errors import GradauditError

Evaluate = Callable[[Any, Any], list[tuple[Any, Any]]]


def with_slopes(function: Callable[..., Any], size: int, where: str) -> Evaluate | None:
    """Values and derivatives of ``function(z, t) -> (A,)``, in long double and in double.

    None where there is no long double, or the function cannot be translated.

    Parameters
    ----------
    size
        Of z.
    where
        Named in errors.

    Returns
    -------
    evaluate
        From points (T, size) and times (T,) to values (T, A) and derivatives by z (T, A, size),
        first in long double and then by the same expressions in double.
    """
    if not available(LONG_DOUBLE):
        return None
    z, t = [hy.expression(f"z{i}") for i in range(size)], hy.expression("t")
    try:
        rows = translate(function, [z, t], precision=LONG_DOUBLE, where=where)
    except GradauditError:
        return None
    tensors = hy.diff_tensors(rows, diff_args=z, diff_order=1)
    every = [*rows, *(entry for row in tensors.jacobian for entry in row)]
    functions = [
        (precision, hy.cfunc(every, [*z, t], compact_mode=True, **precision.options))
        for precision in (LONG_DOUBLE, DOUBLE)
    ]

    def evaluate(points: Any, times: Any) -> list[tuple[Any, Any]]:
        results = []
        for precision, compiled in functions:
            inputs: Any = np.column_stack([points, times]).astype(precision.fp_type)
            with np.errstate(all="ignore"):
                found = compiled(np.ascontiguousarray(inputs.T)).T.astype(np.longdouble)
            slope = found[:, len(rows) :].reshape(len(found), len(rows), size)
            results.append((found[:, : len(rows)], slope))
        return results

    return evaluate
