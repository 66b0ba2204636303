"""The whole workflow on a small configuration: it ends, writes what it says, and then rests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradaudit.records.files import read_dataset, read_provenance, read_table
from gradaudit.records.provenance import FIELDS

MODELS = ("decay", "logistic")
ATLAS = ("audits", "verdicts", "frontier", "laws", "ranking", "remedies", "regimes")
ANSWERS = (
    "mechanisms", "regime_map", "laws", "laws_axes", "ranking", "remedies", "indicator",
)  # fmt: skip
RESULTS = [
    *(f"simulate/{model}/tsit5.nc" for model in MODELS),
    *(f"gradients/{model}/tsit5.nc" for model in MODELS),
    *(f"reference/{model}.nc" for model in MODELS),
    *(f"evaluate/{model}.parquet" for model in MODELS),
    *(f"atlas/{name}.parquet" for name in ATLAS),
    *(
        f"figures/{kind}_{model}.png"
        for kind in ("convergence", "attribution", "work_precision")
        for model in MODELS
    ),
    "experiment/decay.parquet",
    "experiment/decay.nc",
    "figures/experiment_decay.png",
    *(f"figures/{name}.png" for name in ANSWERS),
    "track/done.json",
]


def test_the_first_run_completes(first_run):
    assert first_run.code == 0, first_run.output


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_is_there_with_its_provenance(completed, name):
    provenance = read_provenance(completed.folder / "results" / name)
    assert set(provenance) == set(FIELDS)
    assert provenance["stage"] == name.split("/")[0]
    assert isinstance(json.loads(provenance["settings"]), dict)


def test_the_report_is_written(completed):
    assert (completed.folder / "results" / "report" / "report.html").stat().st_size > 0


def test_every_job_has_a_log(completed):
    logs = completed.folder / "results" / "logs"
    assert (logs / "gradients" / "decay" / "tsit5.log").read_text()
    written = {log.relative_to(logs) for log in logs.rglob("*.log")} - {Path("warm.log")}
    assert len(written) == sum(completed.dry("--forceall").values())


def test_nothing_but_results_is_written(completed):
    found = {path.name for path in completed.folder.iterdir()}
    assert found <= {"results", "config.yaml", "models", "src", "cache", ".snakemake"}


def test_a_user_model_goes_by_the_stem_of_its_file(completed):
    table = read_table(completed.folder / "results" / "atlas" / "audits.parquet")
    assert set(table["model"]) == set(MODELS)


def test_tolerances_are_those_of_the_ladder(completed):
    dataset = read_dataset(completed.folder / "results" / "gradients" / "decay" / "tsit5.nc")
    assert dataset["rtol"].values.tolist() == [1e-3, 1e-4, 1e-5]
    assert dataset["method"].values.tolist() == ["forward_ad", "forward_sensitivity"]


def test_a_second_run_does_nothing(completed):
    again = completed.snakemake()
    assert again.code == 0, again.output
    assert "Nothing to be done" in again.output
