"""The times of jobs, as their logs tell them."""

import pytest

from gradaudit.pipeline.job_times import JobTime, idle, jobs_of, last_run, timed


def test_a_log_gives_back_what_was_written(tmp_path, capsys):
    with timed("evaluate") as clock:
        clock.imported()
    line = capsys.readouterr().err
    log = tmp_path / "one.log"
    log.write_text(f"something else\n{line}")
    (job,) = jobs_of([log, tmp_path / "missing.log"])
    assert job.stage == "evaluate"
    assert job.ended >= job.began


def test_a_run_ends_with_a_pause():
    jobs = [JobTime("a", 0.0, 1.0, 9.0), JobTime("a", 5.0, 1.0, 4.0), JobTime("b", 100.0, 1.0, 1.0)]
    assert last_run(jobs) == jobs[2:]
    assert last_run(jobs[:2]) == jobs[:2]


def test_idle_is_what_no_job_used():
    """Two cores for 10 s, one of them for 5 s only: a quarter of the time is idle."""
    span, share, cores = idle([JobTime("a", 0.0, 1.0, 9.0), JobTime("a", 0.0, 1.0, 4.0)])
    assert (span, share, cores) == (10.0, pytest.approx(0.25), 2)
    assert idle([]) == (0.0, 0.0, 0)
