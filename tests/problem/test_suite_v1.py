"""The cases of version 1 of the PEtab test suite."""

from __future__ import annotations

import pytest

import gradaudit
from petab_suite import assert_solved, cases, read


@pytest.mark.conformance
@pytest.mark.parametrize("path", cases("v1.0.0"))
def test_a_case_has_the_solution_of_the_suite_and_the_slopes_of_its_value(path):
    case = read(path)
    problem = gradaudit.load_problem(case.problem)
    assert_solved(problem, case)
