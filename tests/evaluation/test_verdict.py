"""Good, bad and horrible: DESIGN's words on made-up ladders, and what they must not depend on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradaudit.evaluation.verdict import (
    Thresholds,
    convergence_order,
    judge_ladder,
    reason_for,
    verdict_of,
)

THRESHOLDS = Thresholds(
    good=1e-2, horrible=0.5, cancellation=1e-9, minimum_order=0.25, floor=1e-11, stalled=1e-4
)
TOLERANCES = [1e-3, 1e-5, 1e-7, 1e-9]
LADDER = [10.0**-k for k in range(3, 13)]
NAN = math.nan


def judged(errors, tolerances=None, cosines=None, floors=0.0):
    tolerances = LADDER[: len(errors)] if tolerances is None else tolerances
    cosines = [1.0] * len(errors) if cosines is None else cosines
    return judge_ladder(tolerances, errors, cosines, THRESHOLDS, floors)


@pytest.mark.parametrize("order", [0.5, 1.0, 2.0])
def test_order_of_a_power_law_is_its_exponent(order):
    errors = [5.0 * t**order for t in TOLERANCES]
    assert convergence_order(TOLERANCES, errors, 0.0) == pytest.approx(order)


@pytest.mark.parametrize(
    ("errors", "cosines", "verdict", "rows"),
    [
        ([1e-3, 1e-5, 1e-7, 1e-9], [1.0] * 4, "good", ["good"] * 4),
        ([30.0, 1e-1, 1e-3, 1e-5], [-0.9, 1, 1, 1], "bad", ["horrible", "bad", "good", "good"]),
        ([1e-2] * 4, [1.0] * 4, "horrible", ["horrible"] * 4),
        ([30.0] * 4, [0.1] * 4, "horrible", ["horrible"] * 4),
        ([1e-9, 1e-12, 1e-12, 1e-12], [1.0] * 4, "good", ["good"] * 4),
        ([1e-3, 1e-5, 1e-7, NAN], [1.0] * 3 + [NAN], "bad", ["good"] * 3 + ["horrible"]),
        ([math.inf] * 4, [NAN] * 4, "horrible", ["horrible"] * 4),
        ([3e-3, 1e-6, 3e-7, 3e-7], [1.0] * 4, "good", ["good"] * 4),
    ],
)
def test_verdicts(errors, cosines, verdict, rows):
    ladder, found = judge_ladder(TOLERANCES, errors, cosines, THRESHOLDS)
    assert ladder.verdict == verdict
    assert found == rows


@pytest.mark.parametrize(
    ("errors", "trend", "verdict"),
    [
        # what happens in the catalogue of mechanisms
        ([9.8e-3] * 10, "stuck", "horrible"),  # an equilibrium: wrong at every tolerance
        ([8e-3, 1.2e-2, 5e-3, 9e-3, 7e-3, 1e-2], "stuck", "horrible"),  # the same with noise
        ([1.0] * 10, "stuck", "horrible"),  # a switch that AD does not see
        ([2e11, 3e10, 8e11, 1e11], "stuck", "horrible"),  # an exploding tangent
        ([5e-5] * 10, "flat", "good"),  # wrong at every tolerance, and far below what is asked
        ([1e-15, 3e-16, 8e-16, 0.0], "rounding", "good"),  # exact integration
        ([0.0] * 4, "rounding", "good"),
        ([2e-9, 1e-9, 3e-9], "settled", "good"),  # a floor raised by large sensitivities
        ([3e-8] * 4, "settled", "good"),  # the floor of the location of an event
        ([2e-3, 1e-5, 3e-7, 2e-8, 4e-9, 1e-9, 3e-9, 2e-9], "settled", "good"),
        ([1e-2, 3e-4, 2e-5, 3e-5, 1e-5, 4e-5], "settled", "good"),  # single precision
        ([1e-2, 3e-4, 2e-5, 3e-5, 9e-5, 4e-4, 9e-4], "stops", "bad"),  # and worse when tightened
        ([2.0, 1.0, 3.0, 1.0, 2.0, 0.3, 2e-2, 1e-3], "falling", "bad"),  # chaos at first
        ([1.0, 1e-1, 3e-2, 2e-2, 2e-2, 2e-2, 2e-2], "stuck", "horrible"),  # another limit
        ([1.0, 1e-1, 1e-2, 3e-3, 3e-3, 3e-3, 3e-3], "stops", "bad"),  # near the exact one
        # an implicit solver of few steps, as it is measured on hires and prothero_robinson
        ([4.1e-2, 8.7e-4, 1.3e-3, 8.7e-4, 8.2e-5], "stops", "bad"),
        ([2.0e-4, 2.0e-4, 4.8e-5, 5.6e-5, 2.1e-6], "flat", "good"),
        # luck and noise
        ([1e-2, 1e-2, 1e-9, 1e-2, 1e-2], "stuck", "horrible"),  # a lucky zero
        ([1e-2, 1e-2, 1e-2, 1e-12], "stuck", "horrible"),  # at the end
        ([1e-3, 1e-4, 1e-13, 1e-6, 1e-7], "falling", "good"),  # in a ladder that converges
        ([1e-3, 3e-4, 4e-4, 1e-5, 2e-6, 3e-6, 1e-7], "falling", "good"),
        ([1e-3, 1e-4, NAN, 1e-6, 1e-7], "falling", "bad"),  # a failed solve in the middle
        # short ladders
        ([1e-3], "unknown", "good"),
        ([1e-1], "unknown", "bad"),
        ([0.9], "unknown", "horrible"),
        ([NAN], "failed", "horrible"),
        ([1e-2, 1e-3], "falling", "good"),
        ([1e-3, 1e-3], "unknown", "good"),
        ([3e-2, 3e-2], "unknown", "bad"),
        ([1e-3] * 3, "stuck", "horrible"),
        ([1e-15, 1e-15], "rounding", "good"),
        ([1e-1, 1e-2, 1e-3], "falling", "bad"),
        ([0.4, 0.2, 0.1, 0.05], "falling", "horrible"),  # good at no tolerance
        # a neuron's spikes: harmless on either side
        ([2e-2, 5e-3, 1e-3, 1e7, 1e-4, 1e-5, 1e-6, 1e-7], "falling", "horrible"),
    ],
)
def test_trends(errors, trend, verdict):
    ladder, _ = judged(errors)
    assert (ladder.trend, ladder.verdict) == (trend, verdict)
    assert ladder.converging == (trend in ("rounding", "falling", "settled", "unknown"))


@pytest.mark.parametrize(
    "errors",
    [
        [2e-9, 1e-9, 3e-9],  # at a floor of its own
        [3e-8] * 4,
        [5e-5] * 10,
        [1.0, 1e-1, 1e-2, 3e-3, 3e-3, 3e-3, 3e-3],  # falls at first, to another limit
    ],
)
def test_an_error_that_does_not_fall_has_no_order(errors):
    assert math.isnan(judged(errors)[0].order)


def test_an_error_that_falls_is_bad_at_loose_tolerances_and_good_at_tight_ones():
    _, rows = judged([9.0, 0.3, 2e-2, 1e-3, 1e-4])
    assert rows == ["horrible", "bad", "bad", "good", "good"]


def test_errors_that_the_reference_cannot_tell_from_its_own_are_no_stagnation():
    errors = [3e-3, 2e-3, 4e-3, 3e-3]
    assert judged(errors)[0].verdict == "horrible"
    assert judged(errors, floors=[5e-3] * 4)[0].verdict == "good"


def test_a_reference_without_digits_excuses_no_error_above_the_good_ones():
    assert judged([0.3] * 4, floors=10.0)[0].verdict == "horrible"


def test_every_verdict_has_its_reason():
    reasons = {
        reason_for(NAN, 1.0, "falling", THRESHOLDS): "not_finite",
        reason_for(0.6, 1.0, "falling", THRESHOLDS): "large_error",
        reason_for(0.4, -0.1, "falling", THRESHOLDS): "wrong_direction",
        reason_for(1e-3, 1.0, "stuck", THRESHOLDS): "not_converging",
        reason_for(0.1, 1.0, "falling", THRESHOLDS): "error",
        reason_for(1e-3, 1.0, "stops", THRESHOLDS): "stops_falling",
        reason_for(1e-3, 1.0, "falling", THRESHOLDS): "",
    }
    assert all(found == wanted for found, wanted in reasons.items())
    assert [verdict_of(r) for r in ("no_derivative", "error", "")] == ["horrible", "bad", "good"]


errors_of_a_ladder = st.lists(
    st.one_of(st.floats(1e-16, 1e6), st.sampled_from([NAN, math.inf, 0.0])), min_size=1, max_size=10
)
levels = st.floats(-5.4, 3.0).map(lambda x: 10.0**x)
far = st.floats(-3.9, 3.0).map(lambda x: 10.0**x)  # from what is small


@given(errors_of_a_ladder, st.randoms())
def test_the_order_of_the_rows_does_not_matter(errors, random):
    order = list(range(len(errors)))
    random.shuffle(order)
    ladder, rows = judged(errors)
    shuffled, others = judged([errors[i] for i in order], [LADDER[i] for i in order])
    assert (shuffled.verdict, shuffled.trend) == (ladder.verdict, ladder.trend)
    assert others == [rows[i] for i in order]


@given(errors_of_a_ladder, st.sampled_from([1e-2, 0.5, 3.0]))
def test_the_unit_of_the_tolerances_does_not_matter(errors, factor):
    tolerances = LADDER[: len(errors)]
    moved = [factor * t for t in tolerances]
    assert judged(errors, moved)[0].verdict == judged(errors, tolerances)[0].verdict


@given(errors_of_a_ladder)
def test_verdicts_keep_to_the_definitions(errors):
    ladder, rows = judged(errors)
    for error, row in zip(errors, rows, strict=True):
        if not error <= THRESHOLDS.horrible:
            assert row == "horrible"
        if row == "good":
            assert error <= THRESHOLDS.good
            assert ladder.converging or ladder.trend == "flat"
    assert ladder.verdict == "good" or any(row != "good" for row in rows)
    assert ladder.verdict == "horrible" or any(row != "horrible" for row in rows)


@given(errors_of_a_ladder, st.integers(0, 9), st.floats(1e-12, 1e-3))
def test_a_failed_solve_changes_no_other_row_and_improves_nothing(errors, place, tolerance):
    ladder, rows = judged(errors)
    place = min(place, len(errors))
    more = [*errors[:place], NAN, *errors[place:]]
    at = [*LADDER[:place], tolerance * 0.9, *LADDER[place : len(errors)]]
    failed, others = judged(more, at)
    assert others == [*rows[:place], "horrible", *rows[place:]]
    assert failed.verdict != "good"
    assert ladder.verdict != "horrible" or failed.verdict == "horrible"


@given(far, st.integers(3, 10))
def test_the_same_error_at_every_tolerance_is_horrible(level, count):
    """Unless it is far below what is asked."""
    assert judged([level] * count)[0].verdict == "horrible"


@given(levels, st.integers(3, 10))
def test_the_same_error_is_horrible_where_a_term_is_known_to_be_missing(level, count):
    """From half the digits that can be resolved on, 3.2e-6."""
    errors, cosines = [level] * count, [1.0] * count
    ladder, _ = judge_ladder(LADDER[:count], errors, cosines, THRESHOLDS, lacking=True)
    assert ladder.verdict == "horrible"


@given(errors_of_a_ladder, st.lists(st.floats(0.0, 1e-4), min_size=3, max_size=5))
def test_no_series_is_horrible_whose_tight_end_is_far_below_what_is_asked(loose, tight):
    """Unless its errors blow up on the way."""
    errors = [*loose, *tight][-10:]
    ladder, _ = judged(errors)
    assert ladder.verdict != "horrible" or ladder.spikes


@given(st.floats(-2.0, 0.0), st.floats(1.01, 2.0), st.lists(st.floats(-0.3, 0.0), min_size=4))
def test_no_series_is_horrible_that_fell_by_ten_and_ends_below_what_is_good(start, fall, noise):
    low = min(start - fall, -2.0)
    errors = [10.0**start, 10.0**start, *(10.0 ** (low + n) for n in noise[:8])]
    assert judged(errors)[0].verdict != "horrible"


def test_a_series_that_stops_for_a_term_that_is_known_to_be_missing_is_horrible():
    errors = [4e-2, 9e-4, 1.3e-3, 9e-4, 8e-4]
    for lacking, verdict in ((False, "bad"), (True, "horrible")):
        ladder, _ = judge_ladder(LADDER[:5], errors, [1.0] * 5, THRESHOLDS, lacking=lacking)
        assert ladder.verdict == verdict


@pytest.mark.parametrize(
    ("errors", "sufficient"),
    [
        ([1e-3, 0.1, 1e-3, 1e-4], 1e-5),  # good at 1e-3 by luck
        ([1e-3, 1e-4], 1e-3),
        ([0.1, 0.1], NAN),
        ([1e-3, 1e-4, 0.1], NAN),  # and not at the tightest
        ([0.1, NAN, 1e-3, NAN], 1e-5),  # failed solves say so themselves
        ([NAN], NAN),
    ],
)
def test_a_tolerance_is_sufficient_if_all_tighter_ones_are(errors, sufficient):
    ladder, _ = judged(errors)
    assert ladder.sufficient == pytest.approx(sufficient, nan_ok=True)


def test_spikes_are_counted():
    assert judged([1e-2, 3.0, 1e-3, 1e7, 1e-4])[0].spikes == 2
    assert judged([30.0, 3.0, 1.0, 1e-2, 1e-4])[0].spikes == 0  # chaos at loose tolerances


@given(far, st.integers(3, 10), st.integers(0, 9), st.floats(1e-16, 1.0))
def test_no_single_lucky_zero_makes_a_stagnating_error_converge(level, count, place, luck):
    errors = [level] * count
    errors[min(place, count - 1)] = level * luck
    assert judged(errors)[0].verdict == "horrible"


@given(st.lists(st.floats(0.0, 1e-11), min_size=1, max_size=10))
def test_errors_at_the_rounding_floor_are_good(errors):
    assert judged(errors)[0].verdict == "good"


@given(
    st.floats(0.6, 2.0),
    st.floats(-2.0, 1.0),
    st.lists(st.floats(-0.3, 0.3), min_size=6, max_size=10),
)
def test_noise_of_a_factor_of_two_hides_no_convergence(order, start, noise):
    """At an order of 0.6 two decades of tolerance are 16, more than the noise at both ends, 4."""
    errors = [max(10.0 ** (start - order * k + n), 1e-14) for k, n in enumerate(noise)]
    assert judged(errors)[0].converging


@given(st.floats(0.3, 2.0), st.floats(-6.0, -2.1))
def test_a_small_error_that_falls_is_good_at_every_tolerance(order, start):
    errors = [10.0 ** (start - order * k) for k in range(8)]
    ladder, _ = judged(errors)
    assert ladder.verdict == "good"
    resolved = [e for e in errors if e > THRESHOLDS.floor]
    if len(resolved) >= 2:
        assert ladder.order == pytest.approx(order)


@given(errors_of_a_ladder, st.floats(0.0, 3.0))
def test_thresholds_only_move_verdicts_the_right_way(errors, decades):
    """A more lenient `good` makes no row worse."""
    rank = ("horrible", "bad", "good").index
    lenient = Thresholds(**{**vars(THRESHOLDS), "good": min(1e-2 * 10.0**decades, 0.5)})
    cosines = [1.0] * len(errors)
    _, before = judge_ladder(LADDER[: len(errors)], errors, cosines, THRESHOLDS)
    _, after = judge_ladder(LADDER[: len(errors)], errors, cosines, lenient)
    assert all(rank(b) >= rank(a) for a, b in zip(before, after, strict=True))


def test_the_word_does_not_depend_on_the_length_of_the_arithmetic():
    """Numpy's and python's numbers are judged alike."""
    errors = [1e-3, 1e-4, 1e-5]
    assert judged(errors)[0] == judged(list(np.array(errors)))[0]
