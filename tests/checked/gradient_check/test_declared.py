"""check_gradient for models and estimation problems, by certified references."""

from __future__ import annotations

import numpy as np
import pytest

import gradaudit
from gradaudit.checked.gradient_check.entries import judge_each, judge_norm
from gradaudit.errors import SettingError
from problem.conftest import writer


@pytest.mark.slow
def test_sensitivities_of_a_model_are_judged_entry_by_entry():
    model = gradaudit.load_model("logistic")
    given = gradaudit.sensitivities(model, rtol=1e-7, times=[1.0, 5.0])
    assert gradaudit.check_gradient(model, None, given).outcome == "passed"
    wrong = given.sensitivities.copy()
    wrong[1, 0, 1] *= 1.05
    found = gradaudit.check_gradient(model, None, wrong, times=[1.0, 5.0])
    assert found.outcome == "failed"
    assert found.disagreement == pytest.approx(0.05, rel=1e-3)
    state, parameters = next(iter(model.states)), list(model.parameters)
    assert [b.name for b in found.blame] == [f"d {state} / d {parameters[1]} at t = 5"]
    last = gradaudit.sensitivities(model, rtol=1e-7, times=[model.t_end]).sensitivities[-1]
    assert gradaudit.check_gradient(model, model.nominal, last).outcome == "passed"
    with pytest.raises(SettingError, match="shape"):
        gradaudit.check_gradient(model, None, last[:, :1])
    with pytest.raises(SettingError, match="missing"):
        gradaudit.check_gradient(model)


def test_what_is_not_certified_does_not_pass():
    one, unknown = np.ones(2), np.array([0.0, np.inf])
    for judge, scale in ((judge_norm, 1.0), (judge_each, one)):
        assert judge(one, one, 0.0 * one, scale, 1e-2)[0] == "passed"
        assert judge(one, one, unknown, scale, 1e-2)[0] == "inconclusive"
        assert judge(one, np.array([1.5, 1.0]), unknown, scale, 1e-2)[0] == "failed"
        assert judge(one, one, one, scale, 1e-2)[0] == "inconclusive"
        assert judge(one * np.nan, one, 0.0 * one, scale, 1e-2)[0] == "failed"


@pytest.mark.slow
def test_a_gradient_of_a_problem_is_judged_by_the_certified_one(tmp_path):
    problem = gradaudit.load_problem(
        writer(tmp_path)(
            parameters=[
                "parameterId parameterScale lowerBound upperBound nominalValue estimate",
                "rate log10 1e-3 1e2 0.5 1",
                "gain lin 0 10 3 1",
                "sigma log 0.1 10 0.5 1",
            ],
            conditions=["conditionId k a0", "c rate 2", "d 0.25 1"],
            observables=[
                "observableId observableFormula noiseFormula", "o total+time sigma", "u A 0.25",
            ],
            measurements=[
                "observableId simulationConditionId time measurement", "o c 1 1.5", "u c 3 1",
                "o d 2 2",
            ],
        )
    )  # fmt: skip
    exact = gradaudit.reference_gradient(problem).gradient
    assert gradaudit.check_gradient(problem, None, exact).outcome == "passed"
    found = gradaudit.check_gradient(problem, None, exact * [1.2, 1.0, 1.0])
    assert found.outcome == "failed"
    assert [entry.name for entry in found.blame] == ["rate"]
    with pytest.raises(SettingError, match="missing"):
        gradaudit.check_gradient(problem)
