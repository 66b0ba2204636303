"""The matrix of an element, A^-1 x I - h f_y at its points, factorised in double.

Dense by LAPACK, or sparse by SuperLU where the states of a large model act on few others each: then
most of the dense factors is zero, and to build and to fill them is most of the cost of an element.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack
from scipy.sparse.linalg import splu

Float = NDArray[np.float64]
Positions = NDArray[np.int64]

MANY_STATES = 40
"""With fewer a dense matrix is as fast, however sparse."""

MOST_FILL = 0.15
"""Of the entries of a dense matrix: with more in the sparse factors LAPACK is faster, since it does
about ten times as many operations in a second."""

ORDERING: dict[str, Any] = {"permc_spec": "MMD_AT_PLUS_A", "diag_pivot_thresh": 0.01}
"""An order for the pattern of the matrix and its transpose, and as few exchanges of rows as digits
allow, since each of them fills. The diagonal of A^-1 is not the largest of its rows, by far less
than that. With 500 states factors have a quarter of the entries that an order for any exchanges
gives, take a fifth of the time, and lose half a digit, which the refinement by residuals has back.
"""


class Factors(Protocol):
    """A matrix (s n, s n) that was factorised, points first."""

    def solve(self, right: Float) -> Float:
        """The solutions (s n, c) for right-hand sides (s n, c)."""
        ...


@dataclass(frozen=True)
class Elements:
    """Factorises the matrices of elements of one method and one vector field.

    Attributes
    ----------
    derivative
        A^-1 of the collocation method, (s, s).
    n
        Number of states.
    rows, columns
        Where f_y may differ from zero, (E,), without repetition.
    """

    derivative: Float
    n: int
    rows: Positions
    columns: Positions

    def factorise(self, h: float, slopes: Float) -> Factors | None:
        """For an element of length h with f_y (s, n, n) at its points; None if it is singular."""
        if self.is_sparse:
            return self._sparse(h, slopes)
        s, n = len(self.derivative), self.n
        matrix, every = self._dense.copy(), np.arange(s)
        matrix[every, :, every, :] -= h * slopes
        lu, pivots, info = lapack.dgetrf(matrix.reshape(s * n, s * n).T, overwrite_a=True)
        return _Dense(lu, pivots) if info == 0 else None

    @cached_property
    def is_sparse(self) -> bool:
        """Whether sparse factors have few entries: those of f_y and I, of any values, tell."""
        n = self.n
        if n < MANY_STATES or len(self.rows) > MOST_FILL * n * n:
            return False
        pattern = sparse.coo_array((np.ones(len(self.rows)), (self.rows, self.columns)), (n, n))
        # dominated by its diagonal, so that nothing is exchanged and only the pattern counts
        factors = splu((pattern + sparse.identity(n) * (2.0 * n)).tocsc(), **ORDERING)
        return bool(factors.L.nnz + factors.U.nnz - n <= MOST_FILL * n * n)

    def _sparse(self, h: float, slopes: Float) -> Factors | None:
        matrix, places = self._pattern
        data = matrix.data.copy()
        data[places] -= h * slopes[:, self.rows, self.columns]
        filled = sparse.csc_array((data, matrix.indices, matrix.indptr), matrix.shape)
        try:
            return _Sparse(splu(filled, **ORDERING))
        except RuntimeError:  # exactly singular
            return None

    @cached_property
    def _dense(self) -> Float:
        """A^-1 for every state, (s, n, s, n): the matrix of an element of no length."""
        s, n = len(self.derivative), self.n
        whole = np.kron(self.derivative, np.eye(n))
        return np.asarray(whole.reshape(s, n, s, n), dtype=np.float64)

    @cached_property
    def _pattern(self) -> tuple[sparse.csc_array, Positions]:
        """The same with room for h f_y, and the places (s, E) of that in its data."""
        s, n = len(self.derivative), self.n
        base = sparse.kron(self.derivative, sparse.identity(n)).tocoo()
        own = np.arange(s)[:, None] * n
        rows, columns = (own + part for part in (self.rows, self.columns))
        every = [np.concatenate([base.data, np.zeros(rows.size)])]
        every += [np.concatenate([base.row, rows.ravel()])]
        every += [np.concatenate([base.col, columns.ravel()])]
        matrix = sparse.coo_array((every[0], (every[1], every[2])), (s * n, s * n)).tocsc()
        matrix.sum_duplicates()
        matrix.sort_indices()
        column = np.repeat(np.arange(s * n), np.diff(matrix.indptr))
        keys = column * (s * n) + matrix.indices
        return matrix, np.searchsorted(keys, columns * (s * n) + rows)


@dataclass(frozen=True)
class _Dense:
    """LAPACK's factors of the transposed matrix."""

    lu: Float
    pivots: Positions

    def solve(self, right: Float) -> Float:
        found, _ = lapack.dgetrs(self.lu, self.pivots, right, trans=1)
        return np.asarray(found)


@dataclass(frozen=True)
class _Sparse:
    """SuperLU's factors."""

    lu: Any

    def solve(self, right: Float) -> Float:
        return np.asarray(self.lu.solve(right))
