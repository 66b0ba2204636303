"""Bookkeeping of a climb: rungs, digits, and until when they hold; no system is built."""

import numpy as np
import pytest

import gradaudit
from gradaudit.certification import climb as module
from gradaudit.certification.certificate import Bounds
from gradaudit.certification.climb import CAPS, FINER, RETRIES, Climb, JumpedOverError
from gradaudit.certification.heyoka.precision import DOUBLE
from gradaudit.certification.singular_start import SHARES
from gradaudit.certification.variational import Solution

LOGISTIC = gradaudit.load_model("logistic")
TIMES = np.array([1.0, 2.0, 3.0])
SIZE, M = LOGISTIC.n + 1, LOGISTIC.m


def solution(status="ok", steps=10):
    return Solution(
        times=TIMES,
        values=np.ones((3, SIZE)),
        derivatives=np.ones((3, SIZE, M)),
        status=status,
        steps=steps,
        run_seconds=0.5,
        build_seconds=0.25,
        precision=DOUBLE,
        tolerance=1e-16,
        step_starts=np.empty(0),
        step_sizes=np.empty(0),
    )


class System:
    precision, tolerance, build_seconds = DOUBLE, 1e-16, 0.25
    initial, rows = np.zeros(1), ()


@pytest.fixture
def climb():
    return Climb(LOGISTIC, TIMES, negligible=1e-3, time_limit=60.0, progress=None)


@pytest.fixture
def solves(monkeypatch):
    """The options of every solve; each takes the next of the given solutions."""
    calls, results, missed = [], [], []

    def solve_system(system, times, options):
        calls.append(options)
        return results.pop(0)

    monkeypatch.setattr(module, "solve_system", solve_system)
    monkeypatch.setattr(module, "leave", lambda *arguments: (arguments[-1], None))
    monkeypatch.setattr(module.Inspector, "missed", lambda self: missed.pop(0) if missed else None)
    return calls, results, missed


def test_a_solve_is_noted_as_a_rung(climb, solves):
    solves[1].append(solution())
    assert climb.run(System()).status == "ok"
    (rung,) = climb.rungs
    assert np.isnan(rung.pop("digits"))
    assert rung == {
        "method": "taylor",
        "precision": "double",
        "tolerance": 1e-16,
        "steps": 10,
        "build_seconds": 0.25,
        "run_seconds": 0.5,
        "status": "ok",
    }


def test_steps_are_capped_differently_on_every_rung(climb, solves):
    solves[1].extend([solution(), solution()])
    climb.run(System())
    climb.run(System())
    assert [options.max_step for options in solves[0]] == [
        LOGISTIC.t_end / CAPS[0],
        LOGISTIC.t_end / CAPS[1],
    ]
    climb.start_over()
    solves[1].append(solution())
    climb.run(System())
    assert solves[0][-1].max_step == LOGISTIC.t_end / (CAPS[2] * FINER)


def test_a_solve_that_is_stuck_is_repeated_with_other_first_steps(climb, solves):
    solves[1].extend([solution("step_underflow"), solution("non_finite"), solution()])
    climb.run(System(), first_step=0.3)
    steps = [options.first_step for options in solves[0]]
    np.testing.assert_allclose(steps, [0.3, *RETRIES], rtol=1e-15)
    assert len(climb.rungs) == 1


def test_a_solve_that_never_begins_leaves_the_start_without_a_series(climb, solves):
    stuck = [solution("step_underflow", steps=1)] * 3
    solves[1].extend([*stuck, solution(), solution()])
    climb.run(System())
    assert solves[0][-1].departure == (SHARES[0][0], None)
    assert climb.leaves == SHARES[0]
    climb.run(System())  # and so do all that follow, at once
    assert len(solves[0]) == 5
    assert solves[0][-1].departure == (SHARES[0][1 % len(SHARES[0])], None)


def test_a_solve_that_failed_for_good_is_returned_with_its_status(climb, solves):
    solves[1].extend([solution("step_underflow")] * 3)
    assert climb.run(System()).status == "step_underflow"
    assert climb.rungs[0]["status"] == "step_underflow"
    assert climb.leaves is None


def test_a_step_over_something_unseen_is_an_error_with_its_time(climb, solves):
    solves[1].append(solution())
    solves[2].append(1.25)
    with pytest.raises(JumpedOverError) as error:
        climb.run(System())
    assert error.value.time == 1.25
    assert error.value.solution.status == "ok"
    assert len(climb.rungs) == 1


def accepted(climb, errors):
    """Digits of the reference with relative errors (T,) of all derivatives."""
    climb.rungs.append({"digits": np.nan})
    bounds = Bounds(np.zeros((3, SIZE)), np.ones((3, SIZE, M)) * np.reshape(errors, (3, 1, 1)))
    return climb.accept(solution(), bounds)


def test_digits_are_those_of_the_worst_entry(climb):
    held = accepted(climb, [1e-14, 1e-9, 1e-12])
    assert held == pytest.approx(9.0, abs=0.31)  # less what caution takes
    assert climb.rungs[-1]["digits"] == held
    (sensitivities, _, _), least = climb.digits()
    assert float(sensitivities) == least == held


def test_without_bounds_there_are_no_digits(climb):
    climb.rungs.append({})
    assert np.isnan(climb.accept(solution(), None))
    assert climb.digits()[1] <= 0.0
    assert climb.held_until(10.0) == 0.0


@pytest.mark.parametrize(
    ("errors", "until"),
    [([1e-14, 1e-14, 1e-6], 2.0), ([1e-6, 1e-14, 1e-14], 0.0), ([1e-14] * 3, 3.0)],
)
def test_digits_hold_until_the_last_time_before_the_first_that_loses_them(climb, errors, until):
    accepted(climb, errors)
    assert climb.held_until(10.0) == until


def test_an_error_that_is_not_a_number_holds_no_digits(climb):
    accepted(climb, [1e-14, np.nan, 1e-14])
    assert climb.held_until(10.0) == 1.0


def test_the_time_that_is_left_falls(climb):
    assert 0.0 < climb.left <= 60.0
    climb.started -= 100.0
    assert climb.left < 0.0
