"""The processes of an audit: one that is silent for too long is ended."""

from __future__ import annotations

import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from types import SimpleNamespace

from gradaudit.cli.audit import jobs
from gradaudit.cli.audit.job import Job, JobOutcome


def silent_worker(reports):
    """A worker whose process does nothing, until it is killed, but send so many reports."""
    future, left = Future(), list(reports)

    def poll(seconds):
        time.sleep(0.05)
        return bool(left)

    worker = jobs._Worker()
    worker.pool = SimpleNamespace(submit=lambda run, job: future)
    worker.reports = SimpleNamespace(poll=poll, recv=left.pop)
    killed = BrokenProcessPool("killed")
    worker.context.last = SimpleNamespace(kill=lambda: future.set_exception(killed))
    return worker


def test_a_solve_that_never_ends_is_told(monkeypatch):
    monkeypatch.setattr(jobs, "SILENCE", 0.3)
    shown = []
    progress = SimpleNamespace(start=lambda job: None, read=lambda job, *what: shown.append(what))
    job = Job(label="tsit5", stage="gradients", arguments={})
    outcome: JobOutcome = silent_worker([(0.5, "half")]).run(job, progress)
    assert shown == [(0.5, "half")]
    assert outcome.message.startswith("a solve took longer than 0.3 s and was stopped; ")
    assert 0.3 < outcome.seconds < 20.0
