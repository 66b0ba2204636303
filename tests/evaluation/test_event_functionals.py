"""Linear combinations of event times, against a solution with two events."""

import numpy as np
import pytest

from gradaudit.evaluation.event_functionals import last_common, linear
from gradaudit.evaluation.functional import Context
from gradaudit.evaluation.occurrences import arranged

TIMES = np.array([1.0, 2.0, 4.0])
SLOPES = np.array([[0.5, -1.0], [0.0, 3.0], [2.0, -4.0]])


@pytest.fixture
def certified():
    """Event "a" at t = 1 and 4, "b" at t = 2, "c" never."""
    return arranged(
        ("a", "b", "c"),
        np.array([0, 1, 0]),
        TIMES,
        SLOPES,
        np.zeros((3, 1)),
        np.zeros((3, 1, 2)),
    )


def context(occurrences, common=()):
    return Context(
        times=np.arange(2.0),
        observations=np.zeros((2, 1)),
        states=("x",),
        integrals=(),
        observables=("x",),
        settings={},
        occurrences=occurrences,
        common=common,
    )


def test_events_that_happened_come_with_their_last_common_occurrence(certified):
    last = [(number, k) for number, _, k in last_common(context(certified))]
    assert last == [(0, 2), (1, 1)]
    last = [(number, k) for number, _, k in last_common(context(certified, common=(1, 5, 0)))]
    assert last == [(0, 1), (1, 1)]


def test_a_model_without_events_has_none():
    assert list(last_common(context(None))) == []


def test_an_interval_is_a_difference_of_times_with_its_gradient(certified):
    interval = linear(certified, "interval_a", "event_interval", 0, {0: -1.0, 1: 1.0})
    assert interval.value(certified) == 3.0
    weights = interval.weights(certified)
    np.testing.assert_array_equal(certified.gradient(weights), [1.5, -3.0])
    assert (interval.event, interval.needed) == ("a", 2)


def test_the_natural_size_adds_terms_up_without_cancellation(certified):
    interval = linear(certified, "interval_a", "event_interval", 0, {0: -1.0, 1: 1.0})
    np.testing.assert_array_equal(interval.natural, [2.5, 5.0])


def test_a_later_occurrence_needs_all_before_it(certified):
    assert linear(certified, "time_a", "event_time", 0, {1: 1.0}).needed == 2
    missing = linear(certified, "time_b", "event_time", 1, {1: 1.0})
    assert np.isnan(missing.value(certified))
