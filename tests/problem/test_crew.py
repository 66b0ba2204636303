"""Processes side by side find what one finds, bit by bit, and refuse what it refuses."""

from __future__ import annotations

import math
import pickle
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest

import gradaudit
from gradaudit.errors import ProblemError, SettingError
from gradaudit.problem import crew
from gradaudit.problem.certified import reference_with_solves
from gradaudit.problem.information import of_simulation

K, T = 0.5, 2.0


@pytest.fixture
def worth(monkeypatch):
    """Helpers are started for any second condition."""
    monkeypatch.setattr(crew, "WORTH", 0.0)


class InThisProcess:
    """A pool of one process, but for the process: what goes in and comes out is pickled."""

    _processes = None

    def __init__(self, count, *, mp_context, initializer, initargs):
        assert count == 1
        initializer(*pickle.loads(pickle.dumps(initargs)))

    def submit(self, function, *arguments):
        own, future = pickle.loads(pickle.dumps((function, arguments))), Future()
        future.set_result(pickle.loads(pickle.dumps(own[0](*own[1]))))
        return future

    def shutdown(self, *, cancel_futures):
        assert cancel_futures


@pytest.mark.slow
def test_what_is_sent_to_and_fro_is_what_was_found(write, worth, monkeypatch):
    monkeypatch.setattr(crew, "ProcessPoolExecutor", InThisProcess)
    problem = two_conditions(write, 1.5)
    one, two = (gradaudit.reference_gradient(problem, processes=n, digits=8.0) for n in (1, 2))
    assert one.status == two.status == "ok"
    np.testing.assert_array_equal(one.gradient, two.gradient)
    np.testing.assert_array_equal(one.bounds, two.bounds)


def test_a_process_that_ends_is_told(write, worth, monkeypatch):
    class Ending(InThisProcess):
        def submit(self, function, *arguments):
            raise BrokenProcessPool

    monkeypatch.setattr(crew, "ProcessPoolExecutor", Ending)
    with pytest.raises(ProblemError, match="condition 'd' ended, perhaps for want of memory"):
        gradaudit.reference_gradient(two_conditions(write, 1.5), processes=2, digits=8.0)


def two_conditions(write, measured):
    return gradaudit.load_problem(
        write(
            conditions=["conditionId a0", "c 2", "d 2.5"],
            measurements=[
                "observableId simulationConditionId time measurement",
                f"o c 2 {measured}",
                "o d 2 1",
            ],
        )
    )


@pytest.mark.slow
def test_conditions_are_solved_and_solved_again_as_by_one_process(write, worth):
    """Three of four conditions have opposite terms that leave 1e-6 of them, so that they are."""
    starts = {"c": 2.0, "d": 2.5, "e": 3.0, "f": 1.0}
    off = {"c": 2.5, "d": -2.0 * (1 - 1e-6) / 2, "e": -2.0 * 2.5 / 3 / 2, "f": 0.0}
    measured = {n: a * math.exp(-K * T) + off[n] for n, a in starts.items()}
    problem = gradaudit.load_problem(
        write(
            conditions=["conditionId a0", *(f"{name} {a}" for name, a in starts.items())],
            measurements=[
                "observableId simulationConditionId time measurement",
                *(f"o {name} 2 {value!r}" for name, value in measured.items()),
            ],
        )
    )
    found = [reference_with_solves(problem, processes=n, digits=11.5) for n in (1, 2)]
    (one, here), (two, there) = found
    assert one.status == two.status == "ok"
    assert one.value == two.value
    np.testing.assert_array_equal(one.gradient, two.gradient)
    np.testing.assert_array_equal(one.bounds, two.bounds)
    np.testing.assert_array_equal(one.residuals, two.residuals)
    assert list(one.by_condition) == list(two.by_condition) == list(starts)
    assert one.sizes[0] > 1e5 * abs(one.gradient[0])
    # the solves of others can be had, for what comes after: the information of all residuals
    rows = [of_simulation(problem, solves).rows for solves in (here, there)]
    np.testing.assert_array_equal(*rows)


@pytest.mark.slow
def test_what_another_process_refuses_is_refused(write, worth):
    """Under d, where A' = A, there is no steady state."""
    problem = gradaudit.load_problem(
        write(
            conditions=["conditionId k", "c 1", "d -1", "e 2"],
            parameters=[
                "parameterId parameterScale lowerBound upperBound nominalValue estimate",
                "a0 lin 0 10 2 1",
            ],
            measurements=[
                "observableId simulationConditionId time measurement",
                *(f"o {name} inf 1" for name in "cde"),
            ],
        )
    )
    said = []
    for processes in (1, 2):
        with pytest.raises(ProblemError) as error:
            gradaudit.reference_gradient(problem, processes=processes)
        said.append(str(error.value))
    assert said[0] == said[1]
    with pytest.raises(SettingError, match="processes is 0"):
        gradaudit.reference_gradient(problem, processes=0)
