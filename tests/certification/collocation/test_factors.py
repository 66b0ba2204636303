"""Factors of the matrix of an element: dense and sparse ones solve the same equations."""

from __future__ import annotations

import numpy as np
import pytest

from gradaudit.certification.collocation.factors import Elements, _Dense, _Sparse
from gradaudit.certification.collocation.products import Blocks
from gradaudit.certification.collocation.radau import radau
from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE, available

S, N, C = 8, 60, 5


def a_ring(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns and values (S, N, N) of states that act on themselves and two neighbours."""
    rows = np.repeat(np.arange(N), 3)
    columns = (rows + np.tile([-1, 0, 1], N)) % N
    order = np.lexsort((columns, rows))
    rows, columns = rows[order], columns[order]
    values = np.zeros((S, N, N))
    values[:, rows, columns] = rng.normal(size=(S, len(rows)))
    return rows, columns, values


@pytest.mark.parametrize("h", [1e-6, 0.1, 1e4])
def test_sparse_factors_solve_what_dense_ones_do(h: float) -> None:
    rng = np.random.default_rng(1)
    rows, columns, slopes = a_ring(rng)
    derivative = np.asarray(radau(S, DOUBLE).derivative64)
    elements = Elements(derivative, N, rows, columns)
    assert elements.is_sparse
    factors = elements.factorise(h, slopes)
    assert isinstance(factors, _Sparse)
    matrix = np.kron(derivative, np.eye(N)).reshape(S, N, S, N)
    matrix[np.arange(S), :, np.arange(S), :] -= h * slopes
    matrix = matrix.reshape(S * N, S * N)
    right = rng.normal(size=(S * N, C))
    found = factors.solve(right)
    # backward stable: the residual is of the rounding of the terms, times the growth of factors
    terms = np.abs(matrix) @ np.abs(found) + np.abs(right)
    assert np.max(np.abs(matrix @ found - right) / terms) < 1e-10


def test_few_states_or_many_entries_are_dense() -> None:
    rng = np.random.default_rng(2)
    derivative = np.asarray(radau(S, DOUBLE).derivative64)
    for n, share in ((12, 0.1), (60, 0.5), (60, 0.1)):  # the last one fills up
        rows, columns = np.nonzero((rng.random((n, n)) < share) | np.eye(n, dtype=bool))
        elements = Elements(derivative, n, rows, columns)
        assert not elements.is_sparse
        assert isinstance(elements.factorise(0.1, np.zeros((S, n, n))), _Dense)


def test_a_singular_matrix_has_no_factors() -> None:
    rows, columns, _ = a_ring(np.random.default_rng(3))
    # 1 / h is an eigenvalue of every f_y, and 1 one of this matrix
    elements = Elements(np.eye(S), N, rows, columns)
    assert elements.factorise(1.0, np.broadcast_to(np.eye(N), (S, N, N))) is None


@pytest.mark.skipif(not available(LONG_DOUBLE), reason="no long double precision")
def test_sparse_products_in_long_double_are_those_of_dense_ones() -> None:
    rng = np.random.default_rng(4)
    rows, columns, values = a_ring(rng)
    pattern = np.zeros((N, N), dtype=bool)
    pattern[rows, columns] = True
    third = np.longdouble(1) / 3
    blocks, b = values.astype(np.longdouble) * third, rng.normal(size=(S, N, C)) * third
    own = Blocks(blocks, pattern)
    assert own.sparse is not None
    found = own.times(b)
    assert found.dtype == np.longdouble
    # sums of three terms in another order
    bound = 4 * LONG_DOUBLE.eps * (np.abs(blocks) @ np.abs(b))
    assert np.all(np.abs(found - blocks @ b) <= bound)
