"""The sum of squared residuals: value, weights and natural size."""

import numpy as np
import pytest

from gradaudit.evaluation.functional import Context
from gradaudit.evaluation.sum_of_squares import sum_of_squares

Z = np.array([[1.0, 2.0, 5.0], [3.0, -1.0, 7.0]])  # two states, one integral
TARGET = np.array([[0.0, 2.0], [1.0, 1.0]])


@pytest.fixture
def functional():
    context = Context(
        times=np.arange(2.0),
        observations=Z,
        states=("x", "y"),
        integrals=("i",),
        observables=("x",),
        settings={},
    )
    return sum_of_squares(context, "exact", TARGET, np.array([0.5, 2.0]), truth=TARGET)


def test_the_sum_is_over_states_and_not_integrals(functional):
    assert functional.value(Z) == 1.0 + 0.0 + 4.0 + 4.0


def test_weights_are_the_derivative_and_zero_for_integrals(functional):
    weights = functional.weights(Z)
    np.testing.assert_array_equal(weights, [[2.0, 0.0, 0.0], [4.0, -4.0, 0.0]])
    step = 0.5  # a quadratic function has no error of a central difference
    for index in np.ndindex(Z.shape):
        change = np.zeros_like(Z)
        change[index] = step
        quotient = (functional.value(Z + change) - functional.value(Z - change)) / (2.0 * step)
        assert weights[index] == quotient


def test_natural_weights_are_those_of_a_residual_of_one_deviation(functional):
    np.testing.assert_array_equal(functional.natural_weights, [[1.0, 4.0, 0.0]] * 2)


def test_it_is_called_by_its_target(functional):
    assert (functional.name, functional.kind) == ("trace_sse_exact", "trace_sse")
    assert functional.truth is TARGET
