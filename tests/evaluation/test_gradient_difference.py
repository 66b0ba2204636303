"""The distance of two gradients of one table."""

import math
from types import SimpleNamespace

import pytest

from gradaudit.evaluation.gradient_difference import difference, seconds_of_both


def row(gradient, status="ok"):
    return SimpleNamespace(gradient=gradient, status=status)


def test_the_distance_is_relative_to_the_other_gradient():
    assert difference(row([3.0, 4.0]), row([0.0, 4.0])) == pytest.approx(0.75)
    assert difference(row([0.0, 4.0]), row([3.0, 4.0])) == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("one", "other"), [(row([1.0]), None), (row([1.0], status="max_steps"), row([1.0]))]
)
def test_there_is_no_distance_without_two_gradients(one, other):
    assert math.isnan(difference(one, other))


@pytest.mark.parametrize("other", [row([1.0], status="max_steps"), row([math.nan])])
def test_it_is_infinite_where_the_other_gradient_could_not_be_computed(other):
    assert difference(row([1.0]), other) == math.inf


def test_a_gradient_that_is_zero_agrees_with_zero_alone():
    assert difference(row([0.0]), row([0.0])) == 0.0
    assert difference(row([1e-100]), row([0.0])) == math.inf


def test_the_cost_is_that_of_both_gradients():
    row, other = SimpleNamespace(seconds=0.5), SimpleNamespace(seconds=0.25)
    assert seconds_of_both(row, other) == 0.75
    assert math.isnan(seconds_of_both(row, None))
