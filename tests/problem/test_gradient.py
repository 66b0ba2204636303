"""The gradient by a method tends to the certified one, and what fails has a status."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

import gradaudit
from gradaudit.errors import ModelWarning
from gradaudit.problem.approximate import _of_chunks
from gradaudit.problem.gradient import approximation_at, gradients
from problem.conftest import writer
from problem_closed_forms import EXCHANGE

PARAMETERS = "parameterId parameterScale lowerBound upperBound nominalValue estimate"
OBSERVABLES = "observableId observableFormula noiseFormula"
MEASUREMENTS = "observableId simulationConditionId time measurement"


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    """A decay under two conditions, with a rule and an estimated noise."""
    return gradaudit.load_problem(
        writer(tmp_path_factory.mktemp("problem"))(
            parameters=[
                PARAMETERS,
                "rate log10 1e-3 1e2 0.5 1",
                "gain lin 0 10 3 1",
                "sigma log 0.1 10 0.5 1",
            ],
            conditions=["conditionId k a0", "c rate 2", "d 0.25 1"],
            observables=[OBSERVABLES, "o total+time sigma", "u A 0.25"],
            measurements=[MEASUREMENTS, "o c 1 1.5", "u c 3 1", "o d 2 2"],
        )
    )


@pytest.fixture(scope="module")
def exact(problem):
    return gradaudit.reference_gradient(problem)


def test_it_tends_to_the_certified_gradient_and_is_the_sum_of_its_parts(problem, exact):
    errors = []
    for rtol in (1e-4, 1e-7, 1e-10):
        found = problem.gradient(rtol=rtol)
        assert found.status == "ok"
        errors.append(float(np.linalg.norm(found.gradient - exact.gradient)))
        np.testing.assert_allclose(
            sum(own for _, own in found.by_observable.values()), found.gradient, rtol=1e-12
        )
        assert sum(v for v, _ in found.by_condition.values()) == pytest.approx(found.value)
        assert list(found.by_observable) == [("c", "o"), ("c", "u"), ("d", "o")]
        assert found.by_observable.keys() == exact.by_observable.keys()
    # Tsit5 of order 5 falls by about 3 decades in as many of the tolerance
    assert errors[1] < 1e-2 * errors[0]
    assert errors[2] < 1e-9 * np.linalg.norm(exact.gradient)
    assert found.value == pytest.approx(exact.value, rel=1e-9)


def test_programs_are_compiled_once_at_a_point(problem):
    problem = replace(problem)  # another object, for which nothing is compiled yet
    first = problem.gradient(rtol=1e-5)
    again = problem.gradient(rtol=1e-6, method="forward_sensitivity")
    assert again.stats["compile_seconds"] == 0.0
    assert again.stats["solves"] == 2.0
    assert again.stats["steps"] > first.stats["steps"]


@pytest.mark.slow
def test_a_failed_solve_is_the_status_of_its_condition(problem):
    found = problem.gradient(rtol=1e-12, max_steps=5)
    assert found.status == "max_steps"
    assert found.statuses == {"c": "max_steps", "d": "max_steps"}
    assert np.isnan(found.value)
    assert np.all(np.isnan(found.gradient))
    assert found.gradient.shape == (3,)


def test_what_is_refused_under_one_condition_leaves_the_others(problem, monkeypatch):
    approximation = approximation_at(problem, tuple(problem.parameters.nominal_values.tolist()))
    prepared = approximation.preparation.prepared

    def refuse(group, *, time_limit):
        if group is approximation.groups[1]:
            raise gradaudit.ProblemError("no steady state")
        return prepared(group, time_limit=time_limit)

    monkeypatch.setattr(approximation.preparation, "prepared", refuse)
    found = problem.gradient()
    assert found.status == "refused: no steady state"
    assert found.statuses["c"] == "ok"
    assert np.all(np.isfinite(found.by_condition["c"][1]))
    assert np.all(np.isnan(found.by_condition["d"][1]))
    assert np.all(np.isnan(found.gradient))


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("observable", "extra", "status"),
    [("o A x", "x lin -1 1 -0.5 1", "no_noise"), ("o x+0*A 0.5", "x lin 0 9 1.5 1", "kink")],
)
def test_a_log_likelihood_without_derivative_is_told(write, observable, extra, status):
    problem = gradaudit.load_problem(
        write(
            parameters=[PARAMETERS, "k log10 1e-3 1e2 0.5 1", extra],
            observables=[f"{OBSERVABLES} noiseDistribution", f"{observable} laplace"],
            measurements=[MEASUREMENTS, "o c 1 1.5"],
        )
    )
    found = problem.gradient()
    assert found.status == status
    assert np.all(np.isnan(found.gradient))


@pytest.mark.slow
def test_the_estimate_is_the_size_of_the_error(problem, exact):
    found = problem.gradient(rtol=1e-4, estimate=True)
    error, estimated = np.linalg.norm(found.gradient - exact.gradient), found.estimate
    # the perturbed solve overestimates a fifth-order method by its embedded error of order 4
    assert 0.1 * error < np.linalg.norm(estimated) < 1e3 * error
    assert problem.gradient(rtol=1e-4).estimate is None


@pytest.mark.slow
def test_steady_states_are_the_certified_ones(write):
    path = write(
        parameters=[PARAMETERS, "back lin 0 10 0.75 1", "dose log 0.1 10 2 1"],
        conditions=["conditionId k A B", "before 0.25 1 2", "c 1.5 dose NaN"],
        observables=[OBSERVABLES, "o A 0.5", "u B 0.25"],
        measurements=[
            "observableId preequilibrationConditionId simulationConditionId time measurement",
            "o before c 1 1.5",
            "u before c 0 1",
            "u before c inf 1",
        ],
    )
    (path.parent / "model.xml").write_text(EXCHANGE, encoding="utf-8")
    problem = gradaudit.load_problem(path)
    exact = gradaudit.reference_gradient(problem)
    found = problem.gradient(rtol=1e-9)
    assert found.status == "ok"
    np.testing.assert_allclose(found.gradient, exact.gradient, rtol=1e-7)


def test_parameters_of_a_chunk_see_its_states(problem):
    """A chunk of its own with the states of a solve gives the gradient of that solve."""
    approximation = approximation_at(problem, tuple(problem.parameters.nominal_values.tolist()))
    preparation, group = approximation.preparation, approximation.groups[0]
    prepared = preparation.prepared(group, time_limit=60.0)
    whole = gradaudit.sensitivities(prepared.translation.model, times=prepared.times)
    chunked = replace(
        whole,
        chunk_states=np.stack([whole.states, whole.states]),
        chunk_of=np.arange(whole.sensitivities.shape[2]) % 2,
    )
    from gradaudit.problem.simulation import contributions
    from gradaudit.problem.solving import Solved

    def by(found):
        return contributions(
            preparation, group, Solved.of(group, prepared, [found], "ok", bounded=False)
        )

    for one, other in zip(_of_chunks(whole, by), _of_chunks(chunked, by), strict=True):
        for name, own in one.by_condition.items():
            np.testing.assert_allclose(
                other.by_condition[name].gradient.astype(float), own.gradient.astype(float),
                rtol=1e-14,
            )  # fmt: skip


def test_many_settings_are_those_one_by_one(problem):
    settings = [{"rtol": 1e-4}, {"rtol": 1e-6, "method": "forward_sensitivity"}]
    for setting, found in zip(settings, gradients(problem, settings), strict=True):
        np.testing.assert_array_equal(found.gradient, problem.gradient(**setting).gradient)


def test_an_invalid_setting_raises_and_a_warning_is_passed_on(problem, monkeypatch):
    with pytest.raises(gradaudit.SettingError, match="unknown method"):
        problem.gradient(method="guess")
    with pytest.raises(gradaudit.ProblemError, match="3 finite numbers"):
        problem.gradient([1.0])
    from gradaudit.problem import approximate

    def warned(*args, **keywords):
        warnings.warn("one-sided", ModelWarning, stacklevel=1)
        return gradaudit.sensitivities(*args, **keywords)

    monkeypatch.setattr(approximate, "sensitivities", warned)
    with pytest.warns(ModelWarning, match="one-sided"):
        assert problem.gradient().warnings == ("one-sided",)


@pytest.mark.slow
def test_a_gradient_that_lacks_the_time_of_a_switch_is_told_of(write):
    """A' = -k A before t = switch, and 0 behind: d log A(4) / d switch = -k."""
    path = write(
        parameters=[PARAMETERS, "k lin 0 10 0.5 1", "switch lin 0 10 1.7 1"],
        measurements=[MEASUREMENTS, "o c 4 1"],
    )
    sbml = (path.parent / "model.xml").read_text(encoding="utf-8")
    piecewise = (
        "<piecewise><piece><ci>k</ci><apply><lt/><csymbol encoding='text' "
        "definitionURL='http://www.sbml.org/sbml/symbols/time'>t</csymbol><ci>switch</ci></apply>"
        "</piece><otherwise><cn>0</cn></otherwise></piecewise>"
    )
    sbml = sbml.replace("<ci>cell</ci><ci>k</ci>", f"<ci>cell</ci>{piecewise}")
    sbml = sbml.replace('<parameter id="k"', '<parameter id="switch" value="1"/><parameter id="k"')
    (path.parent / "model.xml").write_text(sbml, encoding="utf-8")
    problem = gradaudit.load_problem(path)
    simulated = 2.0 * np.exp(-0.5 * 1.7)
    exact = (1.0 - simulated) / 0.25 * -0.5 * simulated
    with pytest.warns(ModelWarning, match="saltation"):
        found = problem.gradient()
    assert found.gradient[1] == pytest.approx(0.0, abs=1e-9)
    assert any("wrong at every tolerance" in text for text in found.warnings)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        right = problem.gradient(method="saltation")
    assert right.gradient[1] == pytest.approx(exact, rel=1e-5)
    assert not right.warnings
