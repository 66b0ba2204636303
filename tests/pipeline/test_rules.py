"""Paths, jobs and commands of the rules of the workflow."""

import pytest

from gradaudit.errors import SettingError
from gradaudit.pipeline import rules
from gradaudit.pipeline.config import study_of
from gradaudit.pipeline.flow import stages

STUDY = study_of(
    {
        "results": "out",
        "models": ["logistic", "liu_neuron"],
        "solvers": {"tsit5": {}, "mine": {"solver": "tsit5", "models": ["logistic"]}},
        "experiment": {"models": ["liu_neuron"]},
        "sweep": {"models": []},
    }
)


def test_outputs_are_patterns_below_the_results():
    assert rules.outputs("gradients") == {"output": "<results>/gradients/{model}/{solver}.nc"}
    assert rules.outputs("evaluate") == {"output": "<results>/evaluate/{model}.parquet"}


def test_jobs_are_the_models_and_solvers_that_belong_together():
    jobs = list(rules.jobs(stages()["gradients"], STUDY))
    assert jobs == [
        {"model": "logistic", "solver": "tsit5"},
        {"model": "logistic", "solver": "mine"},
        {"model": "liu_neuron", "solver": "tsit5"},
    ]


def test_plain_states_are_solved_by_solvers_as_they_are():
    jobs = list(rules.jobs(stages()["simulate"], STUDY))
    assert jobs == [
        {"model": "logistic", "solver": "tsit5"},
        {"model": "liu_neuron", "solver": "tsit5"},
    ]


def test_a_stage_of_all_models_has_one_job_and_one_without_models_none():
    assert list(rules.jobs(stages()["atlas"], STUDY)) == [{}]
    assert list(rules.jobs(stages()["experiment"], STUDY)) == [{"model": "liu_neuron"}]
    assert list(rules.jobs(stages()["sweep"], STUDY)) == []


def test_files_of_an_output_for_all_jobs_or_some():
    assert rules.files("evaluate", STUDY) == [
        "<results>/evaluate/logistic.parquet",
        "<results>/evaluate/liu_neuron.parquet",
    ]
    assert rules.files("gradients", STUDY, "out", model="logistic") == [
        "out/gradients/logistic/tsit5.nc",
        "out/gradients/logistic/mine.nc",
    ]
    assert rules.files("atlas.laws", STUDY) == ["<results>/atlas/laws.parquet"]


def test_an_output_that_no_stage_writes_is_refused():
    with pytest.raises(SettingError, match=r"no stage writes 'atlas\.lawz'"):
        rules.files("atlas.lawz", STUDY)


def test_one_file_is_a_pattern_and_several_are_a_list():
    found = rules.inputs("evaluate", STUDY)
    assert found["reference"] == "<results>/reference/{model}.nc"
    assert rules.inputs("atlas", STUDY)["tables"] == rules.files("evaluate", STUDY)


def test_several_files_of_one_job_depend_on_its_wildcards():
    """Snakemake calls a function, in whose result it replaces no <results>."""
    of_job = rules.inputs("evaluate", STUDY)["gradients"]
    assert callable(of_job)
    assert of_job({"model": "liu_neuron"}) == ["out/gradients/liu_neuron/tsit5.nc"]


def test_the_command_of_a_solving_stage_has_its_model():
    assert rules.command("simulate") == (
        "gradaudit simulate {params.model:q} --solver {wildcards.solver:q} "
        "--settings {params.settings:q} --output {output.output:q} > {log:q} 2>&1"
    )


def test_the_command_of_figures_has_their_kind_and_their_folder():
    found = rules.command("figures_trust")
    assert found.startswith("gradaudit figures trust --")
    assert '--output-dir "$(dirname {output.' in found
    assert " {params.model" not in found


def test_logs_are_apart_for_every_job():
    assert rules.log("simulate") == "<logs>/simulate/{model}/{solver}.log"
    assert rules.log("atlas") == "<logs>/atlas.log"
    assert rules.log("figures_trust") == "<logs>/figures/trust.log"
    assert rules.log("figures_experiment") == "<logs>/figures/experiment_{model}.log"


def test_inputs_of_a_job_need_no_list_of_all_jobs(monkeypatch):
    """Or the time for the graph of jobs would grow with the square of the number of models."""
    gradients = rules.inputs("evaluate", STUDY)["gradients"]
    assert callable(gradients)
    monkeypatch.setattr(rules, "jobs", lambda *_: pytest.fail("all jobs were listed again"))
    assert gradients({"model": "logistic"}) == [
        "out/gradients/logistic/tsit5.nc",
        "out/gradients/logistic/mine.nc",
    ]
    assert gradients({"model": "liu_neuron"}) == ["out/gradients/liu_neuron/tsit5.nc"]


def test_problems_have_a_stage_of_their_own():
    study = study_of(
        {"models": ["logistic", "a/problem.yaml", "b/two.yml"], "solvers": {"tsit5": {}}}
    )
    assert [job["model"] for job in rules.jobs(stages()["problem"], study)] == ["a", "two"]
    for name in ("gradients", "reference", "evaluate", "figures_model"):
        assert {job["model"] for job in rules.jobs(stages()[name], study)} == {"logistic"}
    assert rules.inputs("report", study)["problems"] == [
        "<results>/problem/a.parquet",
        "<results>/problem/two.parquet",
    ]


def test_a_study_of_problems_alone_has_no_job_for_all_models_together(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("format_version: 1\n")
    study = study_of({"models": [str(path)], "experiment": {"models": []}, "sweep": {"models": []}})
    made = rules.everything(study, "out")
    assert made == [
        "out/certified/own.nc",
        "out/certified/own.json",
        "out/fisher/own.parquet",
        "out/problem/own.parquet",
        "out/figures/published_problems.png",
        "out/report/report.html",
        "out/track/done.json",
    ]
    read = rules.inputs("report", study)
    assert read["audits"] == [] == read["verdicts"] == read["references"]
    assert read["problems"] == ["<results>/problem/own.parquet"]
    assert list(rules.jobs(stages()["figures_problems"], STUDY)) == []


def test_fits_are_of_the_problems_that_are_named_for_them():
    study = study_of(
        {
            "models": ["logistic", "a/problem.yaml"],
            "solvers": {"tsit5": {}},
            "problems": {"fits": ["b/two.yml"]},
        }
    )
    assert list(rules.jobs(stages()["fit"], study)) == [{"model": "two"}]
    assert list(rules.jobs(stages()["fisher"], study)) == [{"model": "a"}]
    assert list(rules.jobs(stages()["fit"], STUDY)) == []
    assert rules.inputs("report", study)["fits"] == ["<results>/fit/two.parquet"]
    assert rules.inputs("report", study)["fisher"] == ["<results>/fisher/a.parquet"]
