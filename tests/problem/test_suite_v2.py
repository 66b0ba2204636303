"""The cases of version 2 of the PEtab test suite, and its table of formulas."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import yaml

import gradaudit
from gradaudit.problem.formulas import parsed
from gradaudit.problem.infix import infix
from petab_suite import VARIABLE, assert_solved, cases, read, suite


def load(case):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gradaudit.errors.ModelWarning)
        return gradaudit.load_problem(case.problem)


@pytest.mark.conformance
@pytest.mark.parametrize("path", cases("v2.0.0"))
def test_a_case_has_the_solution_of_the_suite_and_the_slopes_of_its_value(path):
    case = read(path)
    problem = load(case)
    assert_solved(problem, case)
    if "log_prior" in case.solution:
        assert_prior(problem, case)


def assert_prior(problem, case):
    """Each density is that of the suite, to the 14 digits behind the point that it prints."""
    found = problem.prior_terms(problem.parameters.values(None))
    assert found.keys() == case.solution["log_prior"].keys()
    for name, expected in case.solution["log_prior"].items():
        assert float(found[name][0]) == pytest.approx(expected, abs=2e-14)
    whole = case.solution["unnorm_log_posterior"]
    tolerance = case.solution["tol_unnorm_log_posterior"]
    assert problem.log_posterior() == pytest.approx(whole, abs=tolerance)
    posterior = gradaudit.reference_gradient(problem, posterior=True)
    assert posterior.value == pytest.approx(whole, abs=tolerance)


TABLE = suite("v2.0.0") / "math" / "math_tests.yaml"


@pytest.mark.skipif(
    not TABLE.is_file(), reason=f"{TABLE} is not there; {VARIABLE} names its folder"
)
def test_formulas_have_the_values_of_the_table_and_can_be_written_for_sbml():
    libsbml = pytest.importorskip("libsbml")
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["cases"]
    assert len(table) > 50
    for case in table:
        formula = parsed(case["expression"], "the table")
        try:
            expected = float(case["expected"])
        except ValueError:  # a formula of names
            assert set(formula.names) == {"a", "b"}
            continue
        value = float(formula.value(np.zeros((1, 0)))[0])
        assert value == pytest.approx(expected, rel=1e-14, abs=1e-14), case
        if np.isfinite(expected):
            assert libsbml.parseL3Formula(infix(formula)) is not None
