"""Many settings of a problem: reuse of programs, and what is left out to save time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gradaudit
from gradaudit.problem.gradient import approximation_at
from gradaudit.problem.ladder import NOT_RUN, _fitting, ladders

MEASUREMENTS = "observableId simulationConditionId time measurement"


def settings(*tolerances, **more):
    return [
        {"solver": "tsit5", "method": "forward_ad", "rtol": rtol, "max_steps": 1000, **more}
        for rtol in tolerances
    ]


@pytest.mark.slow
def test_all_settings_are_those_one_by_one_if_there_is_time(write):
    problem = gradaudit.load_problem(
        write(
            conditions=["conditionId a0", "c 2", "d 3"],
            measurements=[MEASUREMENTS, "o c 1 1.5", "o d 2 1"],
        )
    )
    asked, said = settings(1e-3, 1e-6), []
    found = ladders(problem, asked, first=asked[1], seconds=600.0, report=said.append)
    assert said == ["condition 2 of 2"]
    assert not found.left_out
    for setting, own in zip(asked, found.gradients, strict=True):
        alone = problem.gradient(**setting)
        np.testing.assert_array_equal(own.gradient, alone.gradient)
        assert list(own.by_condition) == ["c", "d"]
    # with no time at all: what counts most, and what adds little to it
    one = ladders(replace(problem), asked, first=asked[1], seconds=0.0)
    assert asked[1] in [own.setting for own in one.gradients]
    assert len(one.gradients) + len(one.left_out) == len(asked)


@pytest.mark.slow
def test_what_is_not_needed_is_left_out_where_it_takes_too_long(write):
    problem = gradaudit.load_problem(
        write(
            conditions=["conditionId a0", "c 2", "d 3"],
            measurements=[MEASUREMENTS, "o c 1 1.5", "o d 2 1"],
        )
    )
    asked = settings(1e-6)
    found = ladders(problem, asked, first=asked[0], seconds=0.0, needed=False)
    assert not found.gradients
    assert list(found.left_out) == asked


@pytest.mark.slow
def test_after_too_many_steps_twice_tighter_tolerances_are_not_tried(write):
    problem = gradaudit.load_problem(write())
    asked = settings(1e-3, 1e-4, 1e-5, 1e-6, max_steps=2)
    found = ladders(problem, asked, first=asked[3], seconds=600.0).gradients
    # the one that counts most is solved in any case
    assert [own.status for own in found] == ["max_steps", "max_steps", NOT_RUN, "max_steps"]
    values = tuple(problem.parameters.nominal_values.tolist())
    assert approximation_at(problem, values).groups[0].label == "'c'"


def test_the_first_setting_stays_and_then_the_quickest():
    methods = ["forward_ad", "forward_ad", "forward_sensitivity", "saltation"]
    times = [(2.0, 0.1), (0.0, 3.0), (0.0, 0.2), (5.0, 0.01)]
    assert _fitting(methods, times, 20.0, first=1) == [0, 1, 2, 3]
    assert _fitting(methods, times, 5.15, first=1) == [0, 1, 2]
    # a method that compiles nothing needs the program of the first one
    assert _fitting(methods, times, 2.35, first=2) == [0, 2]
    # what adds little to the first is kept in any case, and so is the first
    assert _fitting(methods, times, 0.0, first=0) == [0, 2]
    assert _fitting(methods, [(0.0, 1.0)] * 4, 0.0, first=3) == [3]
