"""Further points and conditions share what was read and compiled, and nothing of their numbers."""

from __future__ import annotations

import numpy as np
import pytest

import gradaudit
from gradaudit.model.sbml import load_sbml
from gradaudit.problem import translations as module

CONDITIONS = ["conditionId a0 gain", "c 2 1", "d 0.5 3", "e 0 2"]
MEASUREMENTS = [
    "observableId simulationConditionId time measurement",
    "o c 0 1.5",
    "o c 2 1",
    "o d 3 0.25",
    "o e 1 0.125",
    "o e 2 0.5",
    "o e 5 0.5",
]
OBSERVABLES = ["observableId observableFormula noiseFormula", "o total 0.5"]


def problem(write):
    return gradaudit.load_problem(
        write(conditions=CONDITIONS, measurements=MEASUREMENTS, observables=OBSERVABLES)
    )


def exact(k):
    """d log-likelihood / d log10 k: total = gain (a0 exp(-k t) + 1/2)."""
    rows = [(2, 1, 0, 1.5), (2, 1, 2, 1), (0.5, 3, 3, 0.25)]
    return (
        np.log(10)
        * k
        * sum(
            (y - gain * (a0 * np.exp(-k * t) + 0.5)) / 0.25 * gain * -t * a0 * np.exp(-k * t)
            for a0, gain, t, y in rows
        )
    )


@pytest.mark.slow
def test_conditions_that_differ_in_numbers_are_compiled_once(write):
    own = problem(write)
    first = own.gradient(rtol=1e-9)
    assert first.gradient[0] == pytest.approx(exact(0.5), rel=1e-6)
    again = problem(write).gradient(rtol=1e-9)  # of other objects
    assert again.stats["compile_seconds"] == 0.0
    assert again.gradient[0] == first.gradient[0]


@pytest.mark.slow
def test_a_program_of_another_model_of_the_form_gives_what_an_own_one_gives(tmp_path, write):
    """The three conditions in one file each: to the rounding of other programs."""
    own = problem(write)
    whole = own.gradient(rtol=1e-6)
    path = write()
    for name, row in zip("cde", CONDITIONS[1:], strict=True):
        _, a0, gain = row.split()
        model = load_sbml(
            path.parent / "model.xml",
            t_end={"c": 2.0, "d": 3.0, "e": 5.0}[name],
            values={"a0": float(a0), "gain": float(gain), "k": 0.5},
            only=["k"],
        )
        alone = gradaudit.Model(
            name="alone",
            vector_field=lambda t, y, p, f=model.vector_field: f(t, y, p),  # a form of its own
            states=model.states, parameters=model.parameters, t_end=model.t_end,
        )  # fmt: skip
        results = [
            gradaudit.sensitivities(m, rtol=1e-6, times=[model.t_end]) for m in (model, alone)
        ]
        np.testing.assert_allclose(results[0].states, results[1].states, rtol=1e-13, atol=1e-300)
        np.testing.assert_allclose(
            results[0].sensitivities, results[1].sensitivities, rtol=1e-12, atol=1e-300
        )
    assert whole.status == "ok"


def test_further_points_read_nothing_and_compile_nothing(write, monkeypatch):
    own = problem(write)
    own.gradient(rtol=1e-9)

    def never(*_, **__):
        raise AssertionError("read again")

    monkeypatch.setattr(module, "translate", never)
    for k in (0.3, 0.7, 2.25):
        found = own.gradient([np.log10(k)], rtol=1e-9)
        assert found.stats["compile_seconds"] == 0.0
        assert found.gradient[0] == pytest.approx(exact(k), rel=1e-6)


@pytest.mark.slow
def test_certified_gradients_at_further_points_are_those_of_a_problem_read_anew(write):
    one, other = problem(write), problem(write)
    gradaudit.reference_gradient(one)
    at = np.array([np.log10(0.7)])
    found, fresh = (gradaudit.reference_gradient(each, at) for each in (one, other))
    assert found.status == fresh.status == "ok"
    assert found.gradient[0] == fresh.gradient[0] == pytest.approx(exact(0.7), rel=1e-13)
