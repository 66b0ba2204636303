"""Oscillation on the observation times: crossings of the midrange."""

import numpy as np
import pytest

from gradaudit.evaluation.functional import Context
from gradaudit.evaluation.oscillation import midrange, oscillating, upward_crossings


def test_the_midrange_is_between_the_extremes_and_not_the_mean():
    assert midrange(np.array([0.0, 0.0, 0.0, 4.0])) == 2.0


@pytest.mark.parametrize(
    ("trace", "crossings"),
    [
        ([0.0, 1.0, 0.0, 1.0], 2),
        ([1.0, 0.0, 1.0], 1),
        ([0.0, 0.5, 0.5, 1.0], 1),  # at the level is above, and once is enough
        ([1.0, 1.0], 0),
        ([1.0, 0.0], 0),
        ([0.0], 0),
    ],
)
def test_upward_crossings_of_one_half(trace, crossings):
    assert upward_crossings(np.array(trace), 0.5) == crossings


def test_observables_oscillate_that_cross_twice_with_their_columns():
    times = np.linspace(0.0, 4.0 * np.pi, 101)
    columns = [np.sin(times - 1.0), np.sin(0.5 * times), times, np.cos(times)]
    context = Context(
        times=times,
        observations=np.stack(columns, axis=1),
        states=("sine", "slow", "line", "cosine"),
        integrals=(),
        observables=("cosine", "slow", "line", "sine"),
        settings={},
    )
    assert oscillating(context) == [("cosine", 3), ("sine", 0)]
