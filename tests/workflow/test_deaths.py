"""A job that is killed is made again by the next run, whatever was there before.

A complete study is changed, and the jobs of one stage are killed. Snakemake removes what they were
to replace, while the files that were made from it are still there.
"""

from __future__ import annotations

import copy
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gradaudit.pipeline.flow import stages
from gradaudit.records.files import read_table

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HOOK = """\
    from pathlib import Path
    import signal, time
    words = " ".join(sys.argv[1:] if argv is None else argv)
    if Path("doomed").exists() and words.startswith(Path("doomed").read_text()):
        os.kill(os.getpid(), signal.SIGKILL)
    if Path("stalled").exists() and words.startswith(Path("stalled").read_text()):
        Path("reached").touch()
        time.sleep(60)
"""
"""Put into the command, which belongs to the code of no stage: what it does is told by files."""

SMALL: dict[str, Any] = {
    "models": ["models/decay.py"],
    "solvers": {"tsit5": {}},
    "methods": ["forward_ad", "forward_sensitivity"],
    "estimate": [],
    "tolerances": {"loosest": 1e-3, "tightest": 1e-4},
    "reference": {"digits": 8},
    "experiment": {"models": ["models/decay.py"], "tolerances": [1e-3]},
    "sweep": {"models": ["models/decay.py"], "points": 3},
    "figures": {"dpi": 40},
}
CHANGES: dict[str, dict[str, Any]] = {
    "simulate": {"max_steps": 400_000},
    "reference": {"reference": {"digits": 9}},
    "gradients": {"methods": ["forward_ad"]},
    "experiment": {"experiment": {"models": ["models/decay.py"], "tolerances": [1e-4]}},
    "sweep": {"sweep": {"models": ["models/decay.py"], "points": 5}},
    "evaluate": {"functionals": {"kinds": ["terminal"]}},
    "atlas": {"atlas": {"accuracies": [1e-3]}},
    "trust": {"atlas": {"accuracies": [1e-3]}, "verdict": {"good": 0.02}},
    "figures_model": {"figures": {"dpi": 50}},
    "figures_atlas": {"figures": {"dpi": 50}},
    "report": {"report": {"title": "Another"}},
    "track": {"tracking": {"experiment": "another"}},
}
"""A change of the configuration that the stage reads."""


@pytest.fixture(scope="module")
def whole(workspace, tmp_path_factory):
    """A complete study of one model, and its configuration."""
    whole = replace(workspace, folder=tmp_path_factory.mktemp("whole"))
    shutil.copytree(workspace.folder / "models", whole.folder / "models")
    result = whole.snakemake(config=SMALL)
    assert result.code == 0, result.output
    return whole


@pytest.fixture
def config():
    """The configuration of that study, to be changed by a test."""
    return copy.deepcopy(SMALL)


@pytest.fixture
def study(workspace, whole, tmp_path):
    """A copy of the complete study, in which jobs can be killed."""
    for name in ("results", "models", ".snakemake"):
        shutil.copytree(whole.folder / name, tmp_path / name)
    before, platform = "    try:\n        with extras_by_name(", 'sys.platform != "linux"'
    with (
        workspace.edited("src/gradaudit/cli/main.py", old=before, new=HOOK + before),
        # Without warm processes a job dies before it has imported anything, which is soon.
        workspace.edited("src/gradaudit/pipeline/prefork.py", old=platform, new="True"),
    ):
        yield replace(workspace, folder=tmp_path)


def test_a_copy_of_the_study_is_complete(study, config):
    assert study.dry(config=config) == {}


def downstream(stage: str) -> set[str]:
    """The stage and all that read from it, directly or not."""
    found = {stage}
    for name, other in stages().items():  # whoever reads comes after whoever writes
        read = {reference.partition(".")[0] for reference in other.inputs.values()}
        if read & found or ("figures" in read and any(f.startswith("figures_") for f in found)):
            found.add(name)
    return found & {*CHANGES, "figures_trust", "figures_experiment", "figures_sweep"}


def lose(study, stage: str) -> None:
    """Remove the outputs of a stage, as Snakemake does for jobs that fail."""
    for made in stages()[stage].outputs.values():
        for path in (study.folder / "results").glob(made.path.format(model="*", solver="*")):
            path.unlink()


@pytest.mark.parametrize("stage", ["reference", "sweep", "figures_model", "track"])
def test_a_stage_that_was_killed_runs_again_with_all_that_reads_it(study, config, stage):
    config |= CHANGES[stage]
    doomed = study.folder / "doomed"
    doomed.write_text(stage.replace("_", " "))
    killed = study.snakemake("--until", stage, config=config)
    assert "SIGKILL" in killed.output or "exit status 137" in killed.output
    doomed.unlink()
    assert downstream(stage) <= study.dry(config=config).keys()


@pytest.mark.parametrize("stage", CHANGES)
def test_what_a_stage_has_lost_is_asked_for_whether_or_not_the_change_stays(study, config, stage):
    lose(study, stage)
    assert downstream(stage) <= study.dry(config=config).keys()
    assert downstream(stage) <= study.dry(config=config | CHANGES[stage]).keys()


def test_what_was_lost_is_made_again_and_nothing_remains_to_be_done(study, config):
    config |= CHANGES["evaluate"]
    doomed = study.folder / "doomed"
    doomed.write_text("evaluate")
    assert study.snakemake(config=config).code != 0
    assert not (study.folder / "results" / "evaluate" / "decay.parquet").exists()
    doomed.unlink()
    assert study.snakemake(config=config).code == 0
    audits = read_table(study.folder / "results" / "atlas" / "audits.parquet")
    assert set(audits["kind"]) == {"terminal"}
    assert set(audits["model"]) == {"decay"}
    assert study.dry(config=config) == {}


def test_a_forced_run_that_was_killed_is_made_up_for(study, config):
    (study.folder / "doomed").write_text("evaluate")
    assert study.snakemake("--forcerun", "evaluate", "--until", "evaluate", config=config).code != 0
    assert downstream("evaluate") <= study.dry(config=config).keys()


@pytest.mark.parametrize("name", ["atlas/laws.parquet", "experiment/decay.nc", "figures/laws.png"])
def test_one_file_of_several_that_is_missing_is_made_again(study, config, name):
    (study.folder / "results" / name).unlink()
    found = study.dry(config=config)
    made_by = name.split("/")[0]
    assert any(rule.partition("_")[0] == made_by for rule in found), found


def test_a_run_that_is_asked_to_end_leaves_what_it_did_not_finish_to_the_next(study, config):
    """SIGTERM while a job runs: as a cluster, or a machine that is shut down, sends it."""
    config |= CHANGES["evaluate"]
    (study.folder / "stalled").write_text("evaluate")
    study.dry(config=config)  # writes the file
    process = subprocess.Popen(
        [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2",
         "--directory", str(study.folder), "--configfile", str(study.folder / "config.yaml")],
        env={**os.environ, "PYTHONPATH": str(study.source)}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for(study.folder / "reached")
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(60) != 0
    (study.folder / "stalled").unlink()
    assert downstream("evaluate") <= study.dry(config=config).keys()


def wait_for(path: Path, seconds: float = 60.0) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)
