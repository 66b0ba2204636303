"""Arithmetic on arrays of objects, against numpy on whole numbers, which is exact."""

import operator

import numpy as np
import pytest

from gradaudit.certification.heyoka.array_ops import apply, contract, cumulate, fold

A = np.arange(24).reshape(2, 3, 4).astype(object)


def test_an_operation_is_broadcast_entry_by_entry():
    found = apply(operator.sub, [A, np.array([[1], [2], [3]], dtype=object)])
    assert found.dtype == object
    np.testing.assert_array_equal(found, A - np.array([[1], [2], [3]]))


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 2), (0, 1, 2)])
def test_sums_over_axes(axes):
    np.testing.assert_array_equal(fold(A, axes, operator.add, 0), np.sum(A, axis=axes))


def test_a_sum_of_nothing_is_its_start_and_a_sum_of_one_does_not_touch_it():
    empty = np.empty((2, 0), dtype=object)
    np.testing.assert_array_equal(fold(empty, (1,), operator.add, 7), [7, 7])
    np.testing.assert_array_equal(fold(A[:1], (0,), operator.mul, 0), A[0])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("reverse", [False, True])
def test_running_sums(axis, reverse):
    before = A.copy()
    flipped = np.flip(A, axis) if reverse else A
    expected = np.cumsum(flipped, axis=axis)
    expected = np.flip(expected, axis) if reverse else expected
    np.testing.assert_array_equal(cumulate(A, axis, reverse, operator.add), expected)
    np.testing.assert_array_equal(A, before)


@pytest.mark.parametrize(
    ("dimensions", "einsum", "b_shape"),
    [
        ((((2,), (0,)), ((), ())), "abc,cd->abd", (4, 5)),
        ((((1,), (1,)), ((0,), (0,))), "abc,abd->acd", (2, 3, 5)),
        ((((0, 2), (1, 0)), ((), ())), "abc,cad->bd", (4, 2, 5)),
        ((((), ()), ((), ())), "abc,d->abcd", (5,)),
    ],
)
def test_contractions_are_those_of_einsum(dimensions, einsum, b_shape):
    b = np.arange(2, 2 + np.prod(b_shape)).reshape(b_shape).astype(object)
    found = contract(A, b, dimensions, add=operator.add, multiply=operator.mul, zero=0)
    np.testing.assert_array_equal(found, np.einsum(einsum, A.astype(int), b.astype(int)))
