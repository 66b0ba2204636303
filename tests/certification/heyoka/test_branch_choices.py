"""Which branch is taken: shown by numbers, or given; and where another one begins."""

import heyoka as hy
import numpy as np
import pytest

from gradaudit.certification.heyoka.branch_choices import HANDLED, Switches

X = hy.make_vars("x")


def at(expression, value):
    return float(hy.cfunc([expression], [X])(np.array([value]))[0])


def test_numbers_show_the_choices_in_order():
    switches = Switches()
    assert switches("max", 1.0, 3.0) == 3.0
    assert switches("abs", -2.0) == 2.0
    assert switches("lt", 1.0, 2.0) is True
    assert switches("floor", 2.75) == 2.0
    assert switches.taken == [1, 1, 1, 2]
    assert switches.boundaries == []  # of numbers: they do not change


def test_given_choices_are_taken_on_expressions_that_have_no_switch_left():
    switches = Switches(given=(0, 1))
    larger, size = switches("max", X, 3.0), switches("abs", X)
    assert at(larger + 0.0, 5.0) == 5.0
    assert at(larger + 0.0, 1.0) == 1.0  # beyond the boundary, on the same branch
    assert at(size + 0.0, 5.0) == -5.0
    assert switches.taken == [0, 1]


def test_boundaries_are_zero_where_a_choice_changes():
    switches = Switches(given=(0, 2))
    switches("max", X, 3.0)
    switches("floor", X)
    names, expressions = zip(*switches.boundaries, strict=True)
    assert names == ("max", "floor", "floor")
    assert [at(e + 0.0, zero) for e, zero in zip(expressions, (3.0, 2.0, 3.0), strict=True)] == [
        0.0,
        0.0,
        0.0,
    ]


def test_what_is_finite_stays_so_without_a_boundary():
    switches = Switches()
    assert "is_finite" in HANDLED
    assert switches("is_finite", 1.0) is True
    assert switches("is_finite", np.inf) is False
    given = Switches(given=(1,))
    assert given("is_finite", X) is True
    assert given.boundaries == []


def test_a_choice_that_is_not_given_is_an_error():
    switches = Switches(given=(1,))
    switches("abs", X)
    with pytest.raises(IndexError):
        switches("abs", X)
