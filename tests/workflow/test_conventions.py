"""Where the Snakemake workflow catalog and `module:` look for things."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_usual_places_of_a_workflow_lead_to_this_one(tmp_path):
    told = subprocess.run(
        [
            *(sys.executable, "-m", "snakemake", "--dry-run"),
            *("--snakefile", str(ROOT / "workflow/Snakefile")),
            *("--configfile", str(ROOT / ".test/config/config.yaml")),
            *("--config", f"results={tmp_path / 'results'}"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "report" in told.stdout + told.stderr
    assert "evaluate" in told.stdout + told.stderr


def test_the_scheduler_has_the_limit_that_the_snakefile_takes_away():
    """Else the Snakefile would set an attribute that nothing reads."""
    assert "self.job_rate_limiter is not None" in inspect.getsource(JobScheduler.schedule)
    assert "workflow.scheduler.job_rate_limiter = None" in (ROOT / "Snakefile").read_text()
