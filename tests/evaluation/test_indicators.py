"""Each indicator is the number that its description states; a missing one is NaN, not 0."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from gradaudit.evaluation.indicator import RowsSeen, SolveSeen
from gradaudit.evaluation.indicators import (
    amplification,
    control_difference,
    embedded,
    estimated_error,
    indicators,
    probed_error,
    rejected_share,
    tolerance_difference,
)
from gradaudit.evaluation.indicators.growth import growth
from gradaudit.model.probe_direction import signs

vectors = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3).map(np.array)


def solve(rtol=1e-6, **stored):
    cell = SimpleNamespace(data=xr.Dataset(stored), rtol=rtol)
    return SolveSeen(cell=cell, looser=None, scale=np.ones(1))


def row(gradient, seconds=1.0, status="ok", **more):
    return SimpleNamespace(gradient=gradient, seconds=seconds, status=status, **more)


def test_every_indicator_is_made_in_exactly_one_way():
    for name, one in indicators().items():
        ways = [one.of_solve, one.of_estimate, one.of_rows]
        assert sum(way is not None for way in ways) == 1, name


def test_indicators_are_in_the_order_of_their_rank():
    ranks = [one.rank for one in indicators().values()]
    assert ranks == sorted(ranks)
    assert len({*ranks}) == len(ranks)


@pytest.mark.parametrize("rate", [-1.5, 0.0, 0.4, 3.0])
def test_growth_of_an_exponential_is_its_rate_over_the_second_half(rate):
    """The windows are [0.45, 0.55] and [0.9, 1] of 10, and the largest value in each counts."""
    times = np.linspace(0.0, 10.0, 1001)
    tangents = np.exp(rate * times)[:, None, None]
    length = 10.0 - 5.5 if rate > 0 else 9.0 - 4.5
    assert growth(times, tangents) == pytest.approx(rate * length, abs=1e-12)


@pytest.mark.parametrize("shift", [0.0, 7.0])
def test_growth_does_not_depend_on_units_or_on_the_start_of_time(shift):
    times = np.linspace(0.0, 1.0, 101)
    tangents = np.exp(3.0 * times)[:, None, None]
    assert growth(times + shift, 1e-9 * tangents) == pytest.approx(growth(times, tangents))


@pytest.mark.parametrize(
    "tangents",
    [np.full((11, 1, 1), np.nan), np.zeros((11, 1, 1)), np.ones((4, 1, 1))],
    ids=["not finite", "zero", "too few"],
)
def test_growth_is_not_known_where_there_is_nothing_to_compare(tangents):
    assert math.isnan(growth(np.linspace(0.0, 1.0, len(tangents)), tangents))


def test_the_embedded_error_is_in_units_of_the_sensitivities():
    """It is stored over the tolerance."""
    assert embedded.value(solve(indicator=40.0, rtol=1e-3)) == pytest.approx(0.04)


def test_the_share_of_rejected_steps_is_of_all_steps():
    assert rejected_share.value(solve(steps=8, rejected=2)) == pytest.approx(0.25)
    assert math.isnan(rejected_share.value(solve(steps=0, rejected=0)))


@pytest.mark.parametrize("name", ["crossing_slope", "neglected", "stiffness"])
def test_a_stored_number_is_read_and_a_missing_one_is_nan(name):
    of_solve = indicators()[name].of_solve
    assert of_solve(solve(**{name: 0.3})) == pytest.approx(0.3)
    assert math.isnan(of_solve(solve()))


@given(vectors, st.floats(1e-3, 1e3))
def test_an_estimated_error_is_relative_to_the_gradient(gradient, factor):
    """Scaling both by the same factor changes nothing.

    The gradient is that of the second solve: one that doubles the first has 0.5, and so have the
    two the other way round 1.
    """
    if np.linalg.norm(gradient) < 1e-3:
        return
    assert estimated_error.value(gradient, gradient) == pytest.approx(0.5)
    assert estimated_error.value(-0.5 * gradient, gradient) == pytest.approx(1.0)
    change = 0.25 * gradient[::-1]
    assert estimated_error.value(factor * change, factor * gradient) == pytest.approx(
        estimated_error.value(change, gradient)
    )


def test_one_direction_sees_the_whole_change_in_the_mean_over_all_directions():
    """|D w| is |D| in the root mean square over w of signs: here over all 8 of them."""
    change = np.array([3.0, -1.0, 2.0])
    every = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1)
    assert np.sqrt(np.mean((change @ every) ** 2)) == pytest.approx(np.linalg.norm(change))
    expected = abs(change @ signs(3)) / 2.0
    assert probed_error.value(change, np.array([0.0, 2.0, 0.0])) == pytest.approx(expected)


@pytest.mark.parametrize("one", [estimated_error, probed_error])
def test_no_change_of_no_gradient_is_no_error(one):
    zero, change = np.zeros(3), np.array([1.0, 0.0, 0.0])
    assert one.value(zero, zero) == 0.0
    lost = -change if one is estimated_error else zero  # the gradient of which it is a share is 0
    assert one.value(change, lost) == math.inf


@pytest.mark.parametrize(
    ("one", "place"), [(control_difference, "controlled"), (tolerance_difference, "looser")]
)
def test_a_difference_is_relative_to_the_other_gradient_and_costs_both(one, place):
    mine, other = row([3.0, 4.0], seconds=2.0), row([0.0, 4.0], seconds=5.0)
    seen = RowsSeen(**{"controlled": None, "looser": None, place: other})
    assert one.value(mine, seen) == pytest.approx(3.0 / 4.0)
    assert one.seconds(mine, seen) == pytest.approx(7.0)
    alone = RowsSeen(controlled=None, looser=None)
    assert math.isnan(one.value(mine, alone))
    assert math.isnan(one.seconds(mine, alone))
    failed = seen._replace(**{place: row([np.nan, 0.0], status="max_steps")})
    assert one.value(mine, failed) == math.inf


def test_amplification_is_the_change_of_the_states_times_scale_over_gradient():
    given = SimpleNamespace(gradient_norm=2.0, state_difference=1e-3, computed_scale=400.0)
    alone = RowsSeen(controlled=None, looser=None)
    assert amplification.value(given, alone) == pytest.approx(0.2)
    given.gradient_norm = 0.0
    assert math.isnan(amplification.value(given, alone))
