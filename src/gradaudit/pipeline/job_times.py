"""What a job takes: one line at the end of its log, written here and read here.

Logs may hold the time of day, results may not: so the times are there.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_BEGAN = time.time()  # of the process, or nearly: the command imports this before anything heavy
_LINE = re.compile(
    r"^gradaudit time: stage=(\w+) began=([\d.]+) import=([\d.]+) run=([\d.]+)$", re.MULTILINE
)
PAUSE = 30.0
"""Seconds without any job after which another run of the workflow has begun."""


def began() -> float:
    """When this command began, in seconds since 1970."""
    return _BEGAN


def begin(when: float) -> None:
    """Count from `when`: a fork does the work of a command that began then."""
    global _BEGAN  # of this process, as the name says
    _BEGAN = when


class JobTime(NamedTuple):
    """One job: its stage, when it began (s since 1970), seconds to import and to run."""

    stage: str
    began: float
    importing: float
    running: float

    @property
    def ended(self) -> float:
        """When it ended."""
        return self.began + self.importing + self.running


class _Clock:
    def __init__(self) -> None:
        self.loaded = began()

    def imported(self) -> None:
        """What follows is the work itself."""
        self.loaded = time.time()


@contextmanager
def timed(stage: str) -> Iterator[_Clock]:
    """Write the line of a stage to standard error when it is done."""
    clock = _Clock()
    yield clock
    importing, running = clock.loaded - _BEGAN, time.time() - clock.loaded
    print(
        f"gradaudit time: stage={stage} began={_BEGAN:.3f} import={importing:.3f} "
        f"run={running:.3f}",
        file=sys.stderr,
    )


def jobs_of(logs: Iterable[Path]) -> list[JobTime]:
    """The jobs whose logs contain their times, in the order in which they began."""
    jobs = []
    for log in logs:
        for stage, *numbers in _LINE.findall(_text(log)):
            jobs.append(JobTime(stage, *map(float, numbers)))
    return sorted(jobs, key=lambda job: job.began)


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""


def last_run(jobs: Sequence[JobTime]) -> list[JobTime]:
    """The jobs of the last run of the workflow: those after the last pause."""
    run: list[JobTime] = []
    end = float("-inf")
    for job in jobs:
        if job.began > end + PAUSE:
            run = []
        run.append(job)
        end = max(end, job.ended)
    return run


def idle(jobs: Sequence[JobTime]) -> tuple[float, float, int]:
    """Seconds from the first beginning to the last end, the share that no job used, and the cores.

    The share is of as many cores as there were ever jobs at the same time.
    """
    if not jobs:
        return 0.0, 0.0, 0
    span = max(job.ended for job in jobs) - min(job.began for job in jobs)
    changes = sorted([(job.began, 1) for job in jobs] + [(job.ended, -1) for job in jobs])
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    busy = sum(job.ended - job.began for job in jobs)
    return span, max(0.0, 1.0 - busy / (most * span)) if span > 0 else 0.0, most
