"""A cluster: what the profile asks of Slurm, and a study on the node of `make test-slurm`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gradaudit.pipeline.flow import stages
from same_results import (
    ARRAYS,
    TABLES,
    check_same_arrays,
    check_same_files,
    check_same_scores,
    check_same_tables,
)

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "profiles" / "slurm" / "profile.yaml"
DONE = "GRADAUDIT_QUICK_STUDY"
"""A folder in which the quick study has run on this machine; without it the test runs one."""
WORDS = yaml.safe_load(PROFILE.read_text())
needs_slurm = pytest.mark.skipif(
    "GRADAUDIT_SLURM" not in os.environ, reason="there is no Slurm here: run `make test-slurm`"
)


def snakemake(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the quick study in a folder of its own."""
    folder.mkdir()
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(ROOT / "config" / "quick.yaml")]
    return subprocess.Popen(
        [*command, *arguments], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.fixture(scope="module")
def parsed():
    """The options of Snakemake as it reads them with the profile, and those of the plugin."""
    from snakemake.cli import parse_args
    from snakemake_interface_executor_plugins.registry import ExecutorPluginRegistry

    _, options = parse_args(["--workflow-profile", str(PROFILE.parent), "--cores", "1"])
    plugin = ExecutorPluginRegistry().get_plugin(options.executor)
    return options, plugin.get_settings(options)


def test_every_option_of_the_profile_is_one_of_snakemake_or_of_the_plugin(parsed):
    options, _ = parsed
    unknown = {key for key in WORDS if not hasattr(options, key.replace("-", "_"))}
    assert not unknown


def test_the_status_of_jobs_is_asked_of_squeue_which_needs_no_accounting(parsed):
    _, settings = parsed
    assert settings.status_command == "squeue"
    assert settings.init_seconds_before_status_checks == 10


def test_every_rule_is_sent_in_a_group(parsed):
    options, _ = parsed
    assert dict(options.groups) == WORDS["groups"]
    assert set(options.groups) == set(stages())
    assert set(options.group_components) <= set(options.groups.values())


def test_a_group_asks_for_what_one_of_its_jobs_needs(parsed):
    """The plugin runs the jobs of a group one after the other."""
    assert WORDS["resources"]["mem_mb"] == WORDS["default-resources"]["mem_mb"]
    assert WORDS["set-resource-scopes"] == {"mem_mb": "local"}
    assert set(WORDS["set-resources"]) <= set(stages())


def test_what_is_sent_together_is_decided_by_the_profile_alone():
    """So that a run on one machine has no groups."""
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        assert "group:" not in path.read_text(), path


@needs_slurm
def test_a_study_on_slurm_gives_the_results_of_a_local_one_but_for_times(tmp_path):
    remote, local = tmp_path / "remote", Path(os.environ.get(DONE, tmp_path / "local"))
    on_slurm = snakemake(
        remote, "--workflow-profile", str(PROFILE.parent), "--latency-wait", "5",
        "--slurm-init-seconds-before-status-checks", "2",
    )  # fmt: skip
    with on_slurm:
        if DONE not in os.environ:
            with snakemake(local, "--cores", "2") as here:
                other, _ = here.communicate()
            assert here.returncode == 0, other
        output, _ = on_slurm.communicate()
    assert on_slurm.returncode == 0, output
    assert output.count("submitted with SLURM jobid") == len({"states", "model", "study"})
    first, second = local / "results" / "quick", remote / "results" / "quick"
    for pattern in (TABLES, ARRAYS):
        check_same_files(first, second, pattern)
    check_same_tables(first, second)
    check_same_arrays(first, second)
    check_same_scores(first, second)
    logs = (second / "logs").rglob("*.log")
    assert any("gradaudit time: stage=report" in log.read_text() for log in logs)
