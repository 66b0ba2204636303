"""Experiments of version 2 with several periods have the gradients of closed forms."""

from __future__ import annotations

from pathlib import Path

import mpmath
import pytest

import gradaudit
from problem_closed_forms import EXCHANGE, assert_certified, closed_form, density, relaxed, resting

YAML = """format_version: 2.0.0
parameter_files: [parameters.tsv]
model_files: {m: {language: sbml, location: model.xml}}
condition_files: [conditions.tsv]
experiment_files: [experiments.tsv]
observable_files: [observables.tsv]
measurement_files: [measurements.tsv]
"""
TABLES = {
    "parameters": [
        "parameterId lowerBound upperBound nominalValue estimate",
        "rest 0 10 0.5 true",
        "rate 0 10 1.5 true",
        "back 0 10 0.75 true",
        "dose 0 10 2 true",
        "gain 0 10 1.25 true",
        "fixed 0 10 0.5 false",
    ],
    "conditions": [
        "conditionId targetId targetValue",
        "before k rest",
        "first k rate",
        "first A A+dose*fixed",
        "second B dose^2/4",
    ],
    "experiments": [
        "experimentId time conditionId",
        "e -inf before",
        "e 1 first",
        "e 2.5 second",
    ],
    "observables": [
        "observableId observableFormula noiseFormula noiseDistribution observablePlaceholders",
        "o scaling*B 0.5 log-normal scaling",
        "u A 0.25 laplace _",
    ],
    "measurements": [
        "observableId experimentId time measurement observableParameters",
        "o e 1 1.5 gain",
        "u e 2 1 _",
        "o e 2.5 1.25 2",
        "u e 4 1.75 _",
    ],
}


def written(folder: Path, **tables: list[str]) -> Path:
    for name, lines in {**TABLES, **tables}.items():
        cells = ["\t".join("" if c == "_" else c for c in line.split()) for line in lines]
        (folder / f"{name}.tsv").write_text("\n".join(cells) + "\n", encoding="utf-8")
    (folder / "model.xml").write_text(EXCHANGE, encoding="utf-8")
    path = folder / "problem.yaml"
    path.write_text(YAML, encoding="utf-8")
    return path


@pytest.mark.slow
def test_periods_change_states_and_parameters_behind_a_steady_state(tmp_path):
    """A state takes a dose beside what it has, and later another one is set by a formula."""
    problem = gradaudit.load_problem(written(tmp_path))

    def exact(rest, rate, back, dose, gain):
        b = resting(rest, back, mpmath.mpf("1.5"))
        a = mpmath.mpf("1.5") - b + dose / 2
        start = b
        between = relaxed(rate, back, a, b, 1)[0]
        a, b = relaxed(rate, back, a, b, mpmath.mpf("1.5"))
        later = relaxed(rate, back, a, dose**2 / 4, mpmath.mpf("1.5"))[0]
        return (
            density(1.5, gain * start, 0.5, "log")
            + density(1, between, 0.25, laplace=True)
            + density(1.25, 2 * dose**2 / 4, 0.5, "log")
            + density(1.75, later, 0.25, laplace=True)
        )

    found = gradaudit.reference_gradient(problem)
    values = closed_form(exact, ["0.5", "1.5", "0.75", "2", "1.25"], ["lin"] * 5)
    assert_certified(found, *values)
    assert list(found.by_condition) == ["e"]
    assert problem.chi_square() > 0.0


MEASUREMENTS, CONDITIONS = TABLES["measurements"][0], TABLES["conditions"][0]
WRONG = {
    "line 2: there is no observable 'x'": {"measurements": [MEASUREMENTS, "x e 1 1 _"]},
    "line 2: there is no experiment 'x'": {"measurements": [MEASUREMENTS, "u x 1 1 _"]},
    "line 2: the time is 0.5; the experiment begins at 1": {
        "measurements": [MEASUREMENTS, "u e 0.5 1 _"]
    },
    "line 2: the measurement -1 has no logarithm": {
        "measurements": [MEASUREMENTS, "o e 1 -1 gain"]
    },
    "has 0 entries, and the observable has 1": {"measurements": [MEASUREMENTS, "o e 1 1 _"]},
    "'before': the target 'x' is not in the model": {
        "conditions": [*TABLES["conditions"], "before x 1"]
    },
    "the value of 'B' has 'x'": {"conditions": [*TABLES["conditions"][:-1], "second B x"]},
    "there is no condition 'x'": {"experiments": [TABLES["experiments"][0], "e 1 x"]},
    "'before': the target 'back' is in the parameter table": {
        "conditions": [*TABLES["conditions"], "before back 1"]
    },
    "parameters.tsv: the id 'rate' occurs twice": {
        "parameters": [*TABLES["parameters"], "rate 0 10 1.5 true"]
    },
    "observables.tsv: the id 'u' occurs twice": {
        "observables": [*TABLES["observables"], "u B 0.25 laplace _"]
    },
    "'u': the formula 'A > 1.0' is a condition": {
        "observables": [*TABLES["observables"][:2], "u A>1 0.25 laplace _"]
    },
    "parameters.tsv, estimate: Invalid value for estimate: 2": {
        "parameters": [TABLES["parameters"][0], "rate 0 10 1.5 2"]
    },
    "no parameter is estimated": {
        "parameters": [
            TABLES["parameters"][0],
            *(line.replace("true", "false") for line in TABLES["parameters"][1:]),
        ]
    },
    "'u': the formula has 'x'": {"observables": [*TABLES["observables"][:2], "u x 0.25 laplace _"]},
}


@pytest.mark.parametrize(("message", "tables"), WRONG.items())
def test_what_is_wrong_is_told_with_its_place(tmp_path, message, tables):
    with pytest.raises(gradaudit.ProblemError, match=message) as error:
        gradaudit.load_problem(written(tmp_path, **tables))
    assert ".tsv" in str(error.value)
