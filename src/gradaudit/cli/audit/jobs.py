"""The stages of an audit in processes side by side.

Each job is a command of `gradaudit`, as the workflow runs it: what it prints, how it fails and
whether it brings its process down stays with it. A process takes one job after another, so that
JAX is imported once a core.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Lock, local

from gradaudit.cli.audit.progress import Progress
from gradaudit.cli.audit.worker import END
from gradaudit.errors import GradauditError
from gradaudit.records.code_digest import PACKAGE

PREFIX, WARNING = "gradaudit: ", "gradaudit: warning: "
USER_ERROR = 2


@dataclass(frozen=True, kw_only=True)
class Job:
    """A command of `gradaudit`: its arguments, and how many solves it will report.

    An `optional` job may be refused, and the audit goes on without it.
    """

    label: str
    arguments: tuple[str, ...]
    solves: int = 0
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a job: `code` is 0 where its output is there, else `message` says why not."""

    code: int
    message: str
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_jobs(
    jobs: Sequence[Job], *, workers: int, progress: Progress, then_import: str
) -> dict[str, Outcome]:
    """Run all jobs, `workers` at a time and in this order; import a module when a core is free.

    Raises
    ------
    GradauditError
        With the message of the first job that is refused and not optional; the others are stopped.
    """
    outcomes: dict[str, Outcome] = {}
    with _Workers() as processes, ThreadPoolExecutor(workers) as threads:
        futures = {threads.submit(processes.run, job, progress): job for job in jobs}
        imported = threads.submit(importlib.import_module, then_import)
        try:
            for future in as_completed(futures):
                job, outcome = futures[future], future.result()
                outcomes[job.label] = outcome
                progress.finish(job, outcome)
                if outcome.code == USER_ERROR and not job.optional:
                    raise GradauditError(outcome.message)
            imported.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            processes.__exit__()
            raise
    return outcomes


class _Workers:
    """A process for each thread that asks for one, all of which can be stopped."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.own = local()
        self.processes: list[subprocess.Popen[str]] = []
        self.stopped = False

    def __enter__(self) -> _Workers:
        return self

    def __exit__(self, *error: object) -> None:
        with self.lock:
            self.stopped = True
            for process in self.processes:
                process.kill()
        for process in self.processes:
            with process:
                pass

    def run(self, job: Job, progress: Progress) -> Outcome:
        start = time.perf_counter()
        try:
            process = self._process()
            assert process.stdin is not None
            print(json.dumps(job.arguments), file=process.stdin, flush=True)
        except (BrokenPipeError, InterruptedError):
            return Outcome(code=1, message="its process could not be started")
        progress.start(job)
        lines, warnings, code = [], [], None
        for line in process.stderr or ():
            line = line.rstrip()
            if line.startswith(END):
                code = int(line.removeprefix(END))
                break
            if line.startswith(WARNING):
                warnings.append(line.removeprefix(WARNING))
            elif line.strip() and not progress.read(job, line):
                lines.append(line)
        if code is None:
            code = process.wait()
        return Outcome(
            code=code,
            message=_message(code, lines),
            warnings=tuple(warnings),
            seconds=time.perf_counter() - start,
        )

    def _process(self) -> subprocess.Popen[str]:
        """The process of this thread; a new one if it has none, or has lost it."""
        process: subprocess.Popen[str] | None = getattr(self.own, "process", None)
        if process is None or process.poll() is not None:
            with self.lock:
                if self.stopped:
                    raise InterruptedError
                process = self.own.process = _start()
                self.processes.append(process)
        return process


def _start() -> subprocess.Popen[str]:
    # -P: a file of the user's named like a module of the library must not take its place.
    paths = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "gradaudit.cli.audit.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )


def _message(code: int, lines: list[str]) -> str:
    """What the command says is wrong; of a traceback its last line."""
    if code == 0:
        return ""
    told = [line.removeprefix(PREFIX) for line in lines if line.startswith(PREFIX)]
    if code == USER_ERROR and told:
        first = next(i for i, line in enumerate(lines) if line.startswith(PREFIX))
        return "\n".join([told[0], *lines[first + 1 :]])
    if code < 0:
        return f"the process was ended by signal {-code} ({signal.Signals(-code).name})"
    return lines[-1].strip() if lines else f"the process ended with exit code {code}"
