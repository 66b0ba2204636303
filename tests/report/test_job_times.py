"""Computing time in the report: the parts add up to the time of all jobs."""

import pandas as pd
import pytest

from gradaudit.pipeline.job_times import JobTime
from gradaudit.report.job_times import sentence, table

JOBS = [
    JobTime("gradients", 0.0, 1.0, 40.0),
    JobTime("reference", 0.0, 1.0, 20.0),
    JobTime("simulate", 22.0, 1.0, 9.0),
    JobTime("evaluate", 41.0, 0.0, 8.0),
    JobTime("figures", 41.0, 0.0, 20.0),
]


@pytest.fixture
def solves(made_up_audits):
    """Two solves of 5 s, which took 10 s to compile together; every one has three functionals."""
    audits = made_up_audits(solvers=("tsit5",), methods=("forward_ad",), tolerances=(1e-3, 1e-5))
    return audits.assign(seconds=5.0, compile_seconds=5.0)


def test_parts_are_sorted_shares_of_the_time_of_all_jobs(solves):
    """Of 100 s: 3 importing, 20 reference, 28 analysis, 10 compiling, 10 running, 20 rest, 9."""
    assert sentence(JOBS, solves).endswith(
        "jobs took 100 s together, and 18 % of the cores' time went to scheduling and waiting. "
        "Of the jobs' time: analysis and figures 28 %, references 20 %, tracing, repeated timing "
        "and writing of gradients 20 %, compiling solvers 10 %, one run of every solve 10 %, "
        "simulations, sweeps and the experiment 9 %, importing 3 %."
    )


def test_the_sentence_begins_with_the_jobs_and_the_span(solves):
    assert sentence(JOBS, solves).startswith(
        "Before this report the last run did 5 jobs, from the first to the last in 61 s "
    )


def test_solves_of_an_earlier_run_take_no_more_than_the_jobs_took(solves):
    """Stored solves may be older than the last run, whose jobs of gradients were short."""
    text = sentence([JobTime("gradients", 0.0, 0.0, 4.0)], solves)
    assert text.endswith("Of the jobs' time: compiling solvers 100 %.")


def test_a_run_without_gradients_says_nothing_of_solves(solves):
    text = sentence(JOBS[1:], solves)
    assert "compiling" not in text
    assert "simulations, sweeps and the experiment" in text


def test_without_logs_there_is_no_sentence_and_no_row():
    assert sentence([], pd.DataFrame()) == ""
    assert list(table([]).rows) == []


def test_a_row_is_a_stage_with_its_longest_job():
    rows = table([*JOBS, JobTime("figures", 45.0, 2.0, 30.0)]).rows
    assert [[cell.text for cell in row] for row in rows] == [
        ["simulate", "1", "1 s", "9 s", "10 s"],
        ["gradients", "1", "1 s", "40 s", "41 s"],
        ["references", "1", "1 s", "20 s", "21 s"],
        ["evaluate", "1", "0 µs", "8 s", "8 s"],
        ["figures", "2", "2 s", "50 s", "32 s"],
    ]


def test_jobs_before_a_pause_belong_to_another_run():
    later = JobTime("atlas", 1000.0, 0.0, 1.0)
    assert [row[0].text for row in table([*JOBS, later]).rows] == ["atlas"]
