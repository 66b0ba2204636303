"""Small linear systems, solved by elimination in expressions.

`jnp.linalg.solve` becomes the factorisation of a matrix whose derivative is stopped, and a solve
whose derivative is known. Neither has a Taylor series by itself; the solution has, written out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.heyoka import elementwise
from gradaudit.errors import TranslationError

Values = NDArray[Any]
MOST_UNKNOWNS = 16

FACTORISING = {"stop_gradient", "lu", "lu_pivots_to_permutation", "cholesky", "qr"}
"""What prepares a solve, and is not needed where it is written out."""


class Factor:
    """In place of a value that only a linear solve may use, as its derivative is stopped."""

    dtype = np.dtype("V")
    shape: tuple[int, ...] = ()

    def reshape(self, *_: Any) -> list[Any]:
        return []


def solved(
    eqn: Any, values: list[Any], evaluate: Callable[[Any, list[Values]], list[Values]],
    unit: Callable[[Values], Values], where: str,
) -> Values:  # fmt: skip
    """The solution x of A x = b, of the shape of b.

    Parameters
    ----------
    eqn, values
        JAX's ``custom_linear_solve`` and its operands.
    evaluate
        Runs a jaxpr.
    unit
        A float64 array as constants.

    Raises
    ------
    TranslationError
        If the system is large, or has several right-hand sides that are not one array.
    """
    lengths, matvec = eqn.params["const_lengths"], eqn.params["jaxprs"].matvec
    constants, right = values[: lengths.matvec], values[sum(lengths) :]
    if len(right) != 1 or right[0].size > MOST_UNKNOWNS:
        raise TranslationError(
            f"{where}: a linear solve of {sum(b.size for b in right)} unknowns; the Taylor method "
            f"writes out those of {MOST_UNKNOWNS} at most. Give the solution in closed form, or "
            "make its unknowns states."
        )
    (b,) = right
    columns = []
    for k in range(b.size):
        one = np.zeros(b.size)
        one[k] = 1.0
        (column,) = evaluate(matvec, [*constants, unit(one.reshape(b.shape))])
        columns.append(column.reshape(-1))
    rows = [[column[i] for column in columns] + [b.reshape(-1)[i]] for i in range(b.size)]
    return np.array([*_eliminated(rows), None], dtype=object)[:-1].reshape(b.shape)


def _eliminated(rows: list[list[Any]]) -> list[Any]:
    """x from the rows of (A, b): Gauss and Jordan, with the first pivot that is not constant 0."""
    multiply, subtract = elementwise.RULES["mul"], elementwise.RULES["sub"]
    count = len(rows)
    for k in range(count):
        pivot = next((i for i in range(k, count) if not _zero(rows[i][k])), k)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x if _zero(x) else elementwise.divide(x, rows[k][k]) for x in rows[k]]
        for i in range(count):
            factor = rows[i][k]
            if i != k and not _zero(factor):
                rows[i] = [
                    x if _zero(y) else subtract(x, multiply(factor, y))
                    for x, y in zip(rows[i], rows[k], strict=True)
                ]
    return [row[-1] for row in rows]


def _zero(x: Any) -> bool:
    return bool(elementwise.is_number(x) and x == 0)
