"""The solver "auto" of an estimation problem is chosen once, for all points, and said."""

from __future__ import annotations

import numpy as np
import pytest

import gradaudit
from gradaudit.errors import SettingError
from gradaudit.model.shared_form import shared_form
from gradaudit.problem import solver_choice
from gradaudit.problem.gradient import gradients
from gradaudit.problem.information import approximate_information
from gradaudit.sensitivity import solver_choice as look
from problem.conftest import writer

PARAMETERS = "parameterId parameterScale lowerBound upperBound nominalValue estimate"
MEASUREMENTS = "observableId simulationConditionId time measurement"


@pytest.fixture
def decay(tmp_path):
    """A' = -k A under two conditions, for a nominal k."""

    def build(k):
        return gradaudit.load_problem(
            writer(tmp_path)(
                parameters=[PARAMETERS, f"k log10 1e-6 1e9 {k} 1"],
                conditions=["conditionId a0", "c 2", "d 3"],
                measurements=[MEASUREMENTS, "o c 10 1", "o d 5 1"],
            )
        )

    return build


@pytest.mark.slow
@pytest.mark.parametrize(("k", "solver"), [(0.5, "tsit5"), (1e6, "rodas5p")])
def test_the_setting_names_the_solver(decay, k, solver):
    """Explicit steps are 3.3 / k long: 3 of them, or 4.5e6, against some tens by Radau."""
    problem = decay(k)
    found = problem.gradient(solver="auto")
    assert found.setting["solver"] == solver
    assert found.solver_why.startswith("stiff" if solver == "rodas5p" else "not stiff")
    assert "2 of 2 different conditions at the nominal parameters" in found.solver_why
    plain = problem.gradient(solver=solver)
    np.testing.assert_array_equal(found.gradient, plain.gradient)
    assert plain.solver_why == ""


@pytest.mark.slow
def test_a_fit_pays_for_one_look(decay, monkeypatch):
    """Conditions share two programs, the rate and its Jacobian; other points ask for nothing.

    A test before this one may have compiled them: they are kept as long as the form of the model.
    """
    compiled, looked = [], []
    compile_for, suitable = look.compile_for, solver_choice.suitable_solver
    monkeypatch.setattr(look, "compile_for", lambda *a: compiled.append(a) or compile_for(*a))
    monkeypatch.setattr(
        solver_choice, "suitable_solver", lambda model: looked.append(model) or suitable(model)
    )
    problem = decay(0.5)
    for p in (None, [0.0], [5.0]):
        found = problem.gradient(p, solver="auto", max_steps=1000)
        assert found.setting["solver"] == "tsit5"
    assert len(looked) == 2
    first, second = (shared_form(model) for model in looked)
    assert first is not None
    assert first[0] == second[0]
    assert len(compiled) in (0, 2)


@pytest.mark.slow
def test_the_fisher_information_takes_it(decay):
    problem = decay(0.5)
    found = approximate_information(problem, solver="auto")
    plain = approximate_information(problem, solver="tsit5")
    np.testing.assert_array_equal(found.rows, plain.rows)


def test_what_has_nothing_to_choose_is_refused_by_name(decay):
    problem = decay(0.5)
    with pytest.raises(SettingError, match="method 'taylor' has a solver of its own"):
        gradients(problem, [{"solver": "auto", "method": "taylor"}])
    with pytest.raises(SettingError, match='solver "auto" is for'):
        gradaudit.recommend(problem, solvers=("auto",))
