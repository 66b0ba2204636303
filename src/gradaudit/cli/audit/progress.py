"""How far the jobs of an audit are: bars in a terminal, else a line for each that ends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradaudit.cli.audit.job import Job, JobOutcome


class Progress:
    """Shows what the processes report as one progress.

    Parameters
    ----------
    words
        What to say when a job has ended, "" for nothing.
    """

    def __init__(self, words: Callable[[Job, JobOutcome], str] | None = None) -> None:
        self.words = words
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
        if self.view is not None:
            self.tasks[job.label] = self.view.add_task(job.label, total=1.0, state="starting")

    def read(self, job: Job, fraction: float, text: str) -> None:
        """A job is so far, and does or has done what `text` says."""
        if self.view is None:
            return
        state = f"{round(fraction * job.solves)} of {job.solves} solves" if job.solves else text
        self.view.update(self.tasks[job.label], completed=fraction, state=state)

    def finish(self, job: Job, outcome: JobOutcome) -> None:
        """A job has ended."""
        solves = f"{job.solves} solve{'s' * (job.solves > 1)}, " if job.solves else ""
        text = f"{solves}{outcome.seconds:.1f} s" if outcome.ok else "none, see below"
        if self.view is None:
            print(f"{job.label}: {text}", file=sys.stderr, flush=True)
        elif job.label in self.tasks:
            self.view.update(self.tasks[job.label], completed=1.0, state=text)
        self._say("" if self.words is None else self.words(job, outcome))

    def _say(self, line: str) -> None:
        if line and self.view is not None:
            self.view.console.print(line, markup=False, highlight=False)
        elif line:
            print(line, file=sys.stderr, flush=True)
