"""The bootstrap over groups draws whole groups, and the same ones every time."""

import math

import numpy as np

from gradaudit.analysis.bootstrap import interval, resampled

GROUPS = np.array(["a", "b", "a", "c", "b", "a"])


def test_rows_of_a_group_are_drawn_together():
    sizes = {"a": 3, "b": 2, "c": 1}
    for places in resampled(GROUPS, draws=20, seed=1):
        drawn = GROUPS[places]
        assert all(np.sum(drawn == name) % size == 0 for name, size in sizes.items())
        assert sum(np.sum(drawn == name) // size for name, size in sizes.items()) == len(sizes)


def test_the_draws_follow_from_the_seed():
    once, again, other = (
        [list(places) for places in resampled(GROUPS, draws=5, seed=seed)] for seed in (1, 1, 2)
    )
    assert once == again
    assert once != other


def test_one_group_gives_no_draws():
    assert list(resampled(np.array(["a", "a"]), draws=5, seed=1)) == []


def test_the_interval_holds_95_percent_of_the_finite_values():
    values = np.append(np.arange(1001.0), np.nan)
    assert interval(values) == (25.0, 975.0)
    assert all(map(math.isnan, interval(np.array([np.nan]))))
