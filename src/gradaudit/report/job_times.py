"""Computing time of a run, from the logs of its jobs and the times of solves."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gradaudit.pipeline.job_times import JobTime, idle, last_run
from gradaudit.report.numbers import count, percent, seconds
from gradaudit.report.sentences import solves_of
from gradaudit.report.tables import Cell, Table

STAGES = {
    "simulate": "simulate",
    "gradients": "gradients",
    "reference": "references",
    "experiment": "published experiment",
    "sweep": "sweeps",
    "evaluate": "evaluate",
    "atlas": "atlas",
    "trust": "trust score",
    "figures": "figures",
}
ANALYSIS = ("evaluate", "atlas", "trust", "figures")


def sentence(jobs: Sequence[JobTime], audits: pd.DataFrame) -> str:
    """The time of the last run and its parts; empty without logs."""
    run = last_run(jobs)
    if not run:
        return ""
    span, share, most = idle(run)
    spent = sum(job.importing + job.running for job in run)
    gradients = sum(job.running for job in run if job.stage == "gradients")
    solves = solves_of(audits)
    parts = {
        "importing": sum(job.importing for job in run),
        "references": sum(job.running for job in run if job.stage == "reference"),
        "analysis and figures": sum(job.running for job in run if job.stage in ANALYSIS),
    }
    if gradients > 0.0:
        compiling = min(float(solves["compile_seconds"].sum()), gradients)
        warm = min(float(solves["seconds"].sum()), gradients - compiling)
        parts |= {
            "compiling solvers": compiling,
            "one run of every solve": warm,
            "tracing, repeated timing and writing of gradients": gradients - compiling - warm,
        }
    parts["simulations, sweeps and the experiment"] = spent - sum(parts.values())
    shares = ", ".join(
        f"{name} {percent(value / spent)}"
        for name, value in sorted(parts.items(), key=lambda part: -part[1])
        if value >= 0.005 * spent
    )
    return (
        f"Before this report the last run did {count(len(run), 'job')}, from the first to the last "
        f"in {seconds(span)} on {count(most, 'core')}; jobs took {seconds(spent)} together, "
        f"and {percent(share)} of the cores' time went to scheduling and waiting. Of the jobs' "
        f"time: {shares}."
    )


def table(jobs: Sequence[JobTime]) -> Table:
    """Stages of the last run: jobs, importing, working."""
    run = last_run(jobs)
    rows = []
    for stage, name in STAGES.items():
        own = [job for job in run if job.stage == stage]
        if own:
            importing, running = sum(j.importing for j in own), sum(j.running for j in own)
            rows.append(
                [
                    Cell(text=name),
                    Cell(text=str(len(own))),
                    Cell(text=seconds(importing)),
                    Cell(text=seconds(running)),
                    Cell(text=seconds(max(j.importing + j.running for j in own))),
                ]
            )
    return Table(heads=["stage", "jobs", "importing", "working", "longest job"], rows=rows)
