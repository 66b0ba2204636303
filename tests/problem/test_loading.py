"""What is wrong or not supported in a PEtab problem is refused, with its place."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

import gradaudit
from gradaudit.errors import ModelWarning, ProblemError
from problem.conftest import TABLES

PARAMETERS = "parameterId parameterScale lowerBound upperBound nominalValue estimate"
MEASUREMENTS = "observableId simulationConditionId time measurement"
OBSERVABLES = "observableId observableFormula noiseFormula"

WRONG = {
    "line 2: there is no condition 'y'": {
        "measurements": [f"{MEASUREMENTS} preequilibrationConditionId", "o c 1 1 y"]
    },
    "line 2: the time is -inf": {"measurements": [MEASUREMENTS, "o c -inf 1"]},
    "line 3: the time is": {"measurements": [MEASUREMENTS, "o c 1 1", "o c -1 1"]},
    "line 2: there is no observable 'x'": {"measurements": [MEASUREMENTS, "x c 1 1"]},
    "line 2: there is no condition 'x'": {"measurements": [MEASUREMENTS, "o x 1 1"]},
    "the measurement table is empty": {"measurements": [MEASUREMENTS]},
    "'measurement' is missing": {
        "measurements": ["observableId simulationConditionId time", "o c 1"]
    },
    "no parameter is estimated": {"parameters": [PARAMETERS, "k lin 0 1 1 0"]},
    "'k': nominalValue is -1, which has no logarithm": {
        "parameters": [PARAMETERS, "k log 0 1 -1 1"]
    },
    "parameter table: .*duplicates were found": {
        "parameters": [PARAMETERS, "k lin 0 1 1 1", "k lin 0 1 1 1"]
    },
    "the formula 'A\\+\\*2' cannot be read": {"observables": [OBSERVABLES, "o A+*2 0.5"]},
    "the formula has 'nothing'": {"observables": [OBSERVABLES, "o A+nothing 0.5"]},
    "noiseParameters has too few entries": {"observables": [OBSERVABLES, "o A noiseParameter1_o"]},
    "column 'a0': 'nobody' is neither": {"conditions": ["conditionId a0", "c nobody"]},
    "the column 'nobody' is neither": {"conditions": ["conditionId nobody", "c 1"]},
    "'o': noiseDistribution is 'cauchy'": {
        "observables": [f"{OBSERVABLES} noiseDistribution", "o A 0.5 cauchy"]
    },
    "'o', observableFormula: the formula 'A==1' is a condition": {
        "observables": [OBSERVABLES, "o A==1 0.5"]
    },
    "'o', observableFormula: the formula 'A/0' is not finite": {
        "observables": [OBSERVABLES, "o A/0 0.5"]
    },
    "line 2: noiseParameters has too many entries": {
        "measurements": [f"{MEASUREMENTS} noiseParameters", "o c 1 1 3"]
    },
    "parameters.tsv: the column 'parameterId' is missing. Columns are separated by tabs": {
        "parameters": [PARAMETERS.replace(" ", ","), "k,lin,0,1,1,1"]
    },
    "the measurement -1 has no logarithm": {
        "observables": [f"{OBSERVABLES} observableTransformation", "o A 0.5 log"],
        "measurements": [MEASUREMENTS, "o c 1 -1"],
    },
}


@pytest.mark.parametrize(("message", "tables"), WRONG.items())
def test_what_is_wrong_in_a_table_is_told_with_its_place(write, message, tables):
    with pytest.raises(gradaudit.ProblemError, match=message) as error:
        gradaudit.load_problem(write(**tables))
    assert ".tsv" in str(error.value)


@pytest.mark.parametrize(
    ("message", "text"),
    {
        "versions 1 and 2 of PEtab": "format_version: 3.0.0",
        "0 models": "format_version: 2.0.0",
        "has the language 'pysb'": "format_version: 2.0.0\n"
        "model_files: {m: {language: pysb, location: model.py}}",
        "extensions": "format_version: 2.0.0\nextensions: {sciml: {version: 1}}",
        "problems is {'sbml_files'": "format_version: 1\nproblems: {sbml_files: [model.xml]}",
        "problems is \\['a'\\]": "format_version: 1\nproblems: [a]",
        "sbml_files is 3": "format_version: 1\nproblems: [{sbml_files: 3}]",
        "sbml_files is \\[None\\]": "format_version: 1\nproblems: [{sbml_files: [null]}]",
        "extensions \\[5\\]": "format_version: 1\nextensions: 5",
        "model_files is \\['model.xml'\\]": "format_version: 2.0.0\nmodel_files: [model.xml]",
        "not readable as PEtab 2: 'parameter_files' is a required": "format_version: 2.0.0\n"
        "model_files: {m: {language: sbml, location: model.xml}}",
        "format_version is missing": "problems: []",
        "0 problems": "format_version: 1\nproblems: []",
        "no YAML": "a: [",
        "does_not_exist.tsv does not exist": "format_version: 1\n"
        "parameter_file: does_not_exist.tsv\nproblems: [{sbml_files: [model.xml]}]",
    }.items(),
)
def test_what_is_wrong_in_the_problem_file_is_told(write, message, text):
    with pytest.raises(gradaudit.ProblemError, match=message):
        gradaudit.load_problem(write(yaml=text))


@pytest.mark.parametrize(("content", "message"), [(b"", "is empty"), (b"\xff\x80", "UTF-8")])
def test_a_file_that_is_no_table_is_named(write, content, message):
    path = write()
    (path.parent / "observables.tsv").write_bytes(content)
    with pytest.raises(gradaudit.ProblemError, match=rf"observables\.tsv: .*{message}"):
        gradaudit.load_problem(path)


def test_a_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(gradaudit.ProblemError, match=r"none\.yaml does not exist"):
        gradaudit.load_problem(tmp_path / "none.yaml")


def test_a_folder_is_no_problem(tmp_path):
    with pytest.raises(ProblemError, match="is a folder; name the YAML file"):
        gradaudit.load_problem(tmp_path)


def test_what_a_rule_determines_cannot_be_set(write):
    path = write(conditions=["conditionId total", "c 1"])
    problem = gradaudit.load_problem(path)
    with pytest.raises(gradaudit.ProblemError, match=r"condition 'c'.*'total' cannot be set"):
        gradaudit.reference_gradient(problem)


def test_priors_are_not_part_of_the_likelihood(write):
    path = write(
        parameters=[
            f"{PARAMETERS} objectivePriorType objectivePriorParameters",
            "k lin 0 1 0.5 1 normal 0;1",
        ]
    )
    with pytest.warns(gradaudit.errors.ModelWarning, match="objective priors of k"):
        assert list(gradaudit.load_problem(path).priors) == ["k"]


def test_without_the_extra_it_is_named(write, monkeypatch):
    path, imported = write(), builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "petab":
            raise ModuleNotFoundError("No module named 'petab'", name="petab")
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(gradaudit.MissingExtraError, match=r"gradaudit\[petab\]"):
        gradaudit.load_problem(path)


def test_a_parameter_that_nothing_depends_on_is_told(write):
    lines = [*TABLES["parameters"], "kk log10 1e-3 1e2 0.5 1"]
    with pytest.warns(ModelWarning, match="'kk' is in no formula"):
        gradaudit.load_problem(write(parameters=lines))


def test_a_nominal_value_out_of_bounds_is_told(write):
    head, _ = TABLES["parameters"]
    with pytest.warns(ModelWarning, match="'k' is out of the bounds"):
        gradaudit.load_problem(write(parameters=[head, "k log10 1 100 0.5 1"]))


def test_a_noise_that_is_not_positive_is_no_likelihood(write):
    head, k = TABLES["parameters"]
    observables = [TABLES["observables"][0], "o A sigma"]
    problem = gradaudit.load_problem(
        write(parameters=[head, k, "sigma lin -1 1 -0.5 1"], observables=observables)
    )
    found = gradaudit.reference_gradient(problem)
    assert "noise of measurement 1 is not positive" in found.status
    assert np.isnan(problem.log_likelihood())
