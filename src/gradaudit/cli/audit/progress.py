"""How far the jobs of an audit are: bars in a terminal, else a line for each that ends."""

from __future__ import annotations

import re
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradaudit.cli.audit.jobs import Job, Outcome

_PERCENT = re.compile(r"\s*([\d.]+) %  (.*)")


class Progress:
    """Reads what the stages print on their stderr and shows it as one progress."""

    def __init__(self) -> None:
        self.done: dict[str, int] = {}
        self.tasks: dict[str, Any] = {}
        self.view: Any = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich import progress
            from rich.console import Console

            self.view = progress.Progress(
                progress.SpinnerColumn(),
                progress.TextColumn("{task.description}"),
                progress.BarColumn(),
                progress.TextColumn("{task.fields[state]}"),
                progress.TimeElapsedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self.view.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.view is not None:
            self.view.stop()

    def start(self, job: Job) -> None:
        """A job has begun; JAX is being imported and programs compiled."""
        self.done[job.label] = 0
        if self.view is not None:
            self.tasks[job.label] = self.view.add_task(
                job.label, total=job.solves or 100, state="starting"
            )

    def read(self, job: Job, line: str) -> bool:
        """Whether a line of a job's stderr was about its progress."""
        percent = _PERCENT.fullmatch(line)
        if percent:
            self._show(job, float(percent[1]), percent[2])
            return True
        if " rtol=" in line and job.solves:
            self.done[job.label] += 1
            self._show(job, self.done[job.label], f"{self.done[job.label]} of {job.solves} solves")
            return True
        return False

    def _show(self, job: Job, completed: float, state: str) -> None:
        if self.view is not None:
            self.view.update(self.tasks[job.label], completed=completed, state=state)

    def finish(self, job: Job, outcome: Outcome) -> None:
        """A job has ended."""
        solves = f"{job.solves} solves, " if job.solves else ""
        text = f"{solves}{outcome.seconds:.1f} s" if outcome.code == 0 else "failed"
        if self.view is None:
            print(f"{job.label}: {text}", file=sys.stderr, flush=True)
        elif job.label in self.tasks:
            total = job.solves or 100
            self.view.update(self.tasks[job.label], completed=total, state=text)
