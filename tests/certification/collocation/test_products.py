"""Products in every precision."""

import numpy as np
import pytest

from gradaudit.certification.collocation.products import along_points, cast, product
from gradaudit.certification.heyoka.precision import (
    DOUBLE,
    LONG_DOUBLE,
    QUAD,
    available,
    to_float64,
)

EVERY = [p for p in (DOUBLE, LONG_DOUBLE, QUAD) if available(p)]


@pytest.mark.parametrize("precision", EVERY, ids=lambda p: p.name)
def test_products_are_those_of_numpy(precision):
    """Of small integers, which every precision holds exactly."""
    rng = np.random.default_rng(1)
    a, b = rng.integers(-9, 9, (3, 4, 5)), rng.integers(-9, 9, (3, 5, 2))
    found = product(precision.array(a), precision.array(b))
    np.testing.assert_array_equal(to_float64(found), a @ b)
    matrix = rng.integers(-9, 9, (6, 3))
    along = along_points(precision.array(matrix), precision.array(a))
    np.testing.assert_array_equal(to_float64(along), np.einsum("rs,sij->rij", matrix, a))
    empty = product(precision.array(np.zeros((2, 0))), precision.array(np.zeros((0, 3))))
    np.testing.assert_array_equal(to_float64(empty), np.zeros((2, 3)))


@pytest.mark.parametrize("goal", EVERY, ids=lambda p: p.name)
@pytest.mark.parametrize("given", EVERY, ids=lambda p: p.name)
def test_values_are_cast_between_all_precisions(given, goal):
    values = cast(given.array([[0.5, -3.0]]), goal)
    assert values.dtype == goal.array([0.0]).dtype
    np.testing.assert_array_equal(to_float64(values), [[0.5, -3.0]])
