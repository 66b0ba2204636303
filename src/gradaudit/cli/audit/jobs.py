"""The stages of an audit in processes side by side.

Each process is a pool of one of `concurrent.futures`: it takes one job after another, so that JAX
is imported once per core, and a job that brings its process down ends no other job.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from threading import Lock, local
from time import perf_counter
from typing import Any

from gradaudit.cli.audit.job import Job, JobOutcome
from gradaudit.cli.audit.process import begin, run
from gradaudit.cli.audit.progress import Progress
from gradaudit.errors import GradauditError

NOTICE = 0.1
"""Seconds between two looks at the progress of a job."""

SILENCE = 900.0
"""Seconds without a report, of a solve that is done, after which the process of a job is ended."""


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_jobs(
    jobs: Sequence[Job], *, workers: int, progress: Progress, then_import: str
) -> dict[str, JobOutcome]:
    """Run all jobs, `workers` at a time and in this order; import a module meanwhile.

    Raises
    ------
    GradauditError
        With the message of the first job that is refused and not optional; the others are stopped.
    """
    outcomes: dict[str, JobOutcome] = {}
    with (
        _Workers() as processes,
        ThreadPoolExecutor(workers) as threads,
        ThreadPoolExecutor(1) as aside,
    ):
        futures = {threads.submit(processes.run, job, progress): job for job in jobs}
        imported = aside.submit(importlib.import_module, then_import)
        try:
            for future in as_completed(futures):
                job, outcome = futures[future], future.result()
                outcomes[job.label] = outcome
                if outcome.refused and not job.optional:
                    raise GradauditError(outcome.message)  # of the model: no line of one solver
                progress.finish(job, outcome)
            imported.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            processes.stop()
            raise
    return outcomes


class _Workers:
    """A worker for each thread that asks for one, all of which can be stopped."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.own = local()
        self.workers: list[_Worker] = []
        self.stopped = False

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        with self.lock:
            self.stopped = True
            for worker in self.workers:
                worker.stop()

    def run(self, job: Job, progress: Progress) -> JobOutcome:
        with self.lock:
            if self.stopped:
                return JobOutcome(message="it was not started")
            worker: _Worker | None = getattr(self.own, "worker", None)
            if worker is None:
                worker = self.own.worker = _Worker()
                self.workers.append(worker)
        return worker.run(job, progress)


class _Recording(SpawnContext):
    """A context that remembers the process that was started last."""

    last: SpawnProcess | None = None

    def Process(self, *args: Any, **keywords: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        self.last = SpawnProcess(*args, **keywords)
        return self.last


class _Worker:
    """One process, started anew after a job that brought it down."""

    def __init__(self) -> None:
        self.context = _Recording()
        self.pool: ProcessPoolExecutor | None = None
        self.reports: Connection | None = None

    def stop(self) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)
        if self.context.last is not None:
            self.context.last.kill()

    def run(self, job: Job, progress: Progress) -> JobOutcome:
        start = perf_counter()
        if self.pool is None:
            self.reports, sender = self.context.Pipe(duplex=False)
            self.pool = ProcessPoolExecutor(
                1, mp_context=self.context, initializer=begin, initargs=(sender,)
            )
        progress.start(job)
        heard, silent = start, False
        try:
            future = self.pool.submit(run, job)
            while not future.done() or (self.reports is not None and self.reports.poll(0.0)):
                if self._show(job, progress):
                    heard = perf_counter()
                silent = perf_counter() - heard > SILENCE
                if silent and self.context.last is not None:
                    self.context.last.kill()
                    break
            outcome = future.result()
        except (BrokenProcessPool, RuntimeError):
            outcome = JobOutcome(message=_too_slow() if silent else self._ended())
            self.pool = None
        return replace(outcome, seconds=perf_counter() - start)

    def _show(self, job: Job, progress: Progress) -> bool:
        """Wait a moment for a report, and show it; whether there was one."""
        assert self.reports is not None
        try:
            if self.reports.poll(NOTICE):
                progress.read(job, *self.reports.recv())
                return True
        except (EOFError, OSError):  # the process has ended, and the future will say so
            pass
        return False

    def _ended(self) -> str:
        """How the process ended."""
        process = self.context.last
        if process is None:
            return "its process could not be started"
        process.join()
        code = process.exitcode or 0
        if code < 0:
            return f"the process was ended by signal {-code} ({signal.Signals(-code).name})"
        return f"the process ended with exit code {code}"


def _too_slow() -> str:
    return (
        f"a solve took longer than {SILENCE:g} s and was stopped; is there an endless loop in the "
        "vector field?"
    )


def leave_out_current_folder() -> None:
    """Keep a file of the user's, named like a module of a library, from taking its place.

    Python puts the current folder first where it is started with ``-m``; processes of the pool
    inherit that.
    """
    here = Path.cwd()
    own = Path(__file__).parents[3]
    sys.path[:] = [p for p in sys.path if (Path(p or ".").resolve() != here) or here == own]
