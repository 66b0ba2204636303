"""Conditions share solves, and only what acts in a condition is a parameter of its model."""

from __future__ import annotations

import numpy as np
import pytest

import gradaudit
from gradaudit.errors import ModelError, ProblemError
from gradaudit.model.sbml.importer import translate
from gradaudit.problem.groups import grouped
from gradaudit.problem.preparing import Preparation
from gradaudit.problem.solving import certified

PARAMETERS = "parameterId parameterScale lowerBound upperBound nominalValue estimate"


def test_conditions_that_differ_in_formulas_only_share_a_solve(write):
    problem = gradaudit.load_problem(
        write(
            parameters=[PARAMETERS, "k lin 0 1 0.5 1", "x lin 0 1 0.5 1"],
            conditions=["conditionId a0 factor", "c 2 3", "d 2 x", "e 1 3"],
            observables=["observableId observableFormula noiseFormula", "o factor*A 0.5"],
            measurements=[
                "observableId simulationConditionId time measurement",
                *(f"o {condition} 1 1" for condition in "cde"),
            ],
        )
    )
    groups = grouped(problem)
    assert [group.label for group in groups] == ["'c', 'd'", "'e'"]
    preparation = Preparation(problem, np.array([0.5, 0.5]))
    solved = certified(preparation, groups[0], digits=10.0, time_limit=60.0)
    assert list(solved.translation.model.parameters) == ["k"]
    assert solved.owners.tolist() == [0]


def test_values_replace_numbers_and_initial_assignments_and_states_can_be_parameters(write):
    path = write().parent / "model.xml"
    model = translate(path, values={"A": 7.0, "k": 0.25}, only=["A", "k"]).model
    assert {name: value for name, (value, _) in model.parameters.items()} == {
        "k": 0.25,
        "A(0)": 7.0,
    }
    assert model.states["A"][0] == 7.0
    with pytest.raises(ModelError, match="no 'nothing'"):
        translate(path, values={"nothing": 1.0})


def test_a_nominal_value_of_zero_has_no_slope_on_a_logarithmic_scale(write):
    path = write(parameters=[PARAMETERS, "k log10 0 1 0.5 1", "gain log10 0 1 0 1"])
    found = gradaudit.reference_gradient(gradaudit.load_problem(path))
    assert found.point[1] == -np.inf
    assert found.gradient[1] == 0.0
    assert found.status == "ok"


@pytest.mark.parametrize("p", ["k", {"k": 1.0}, [[1.0], [1.0, 2.0]]])
def test_a_point_that_is_no_array_is_refused(write, p):
    problem = gradaudit.load_problem(write())
    with pytest.raises(ProblemError, match="no array of numbers; it must be 1 finite numbers"):
        problem.log_likelihood(p)
