"""A stage to run in a process of an audit, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Job:
    """A stage to run.

    Attributes
    ----------
    label
        What it is called in messages.
    stage, arguments
        Its module in `gradaudit.stages`, and the keywords of that module's `run`.
    cache
        Folder of compiled programs, if any.
    solves
        How many solves it will report.
    optional
        It may be refused, and the audit goes on without it.
    """

    label: str
    stage: str
    arguments: Mapping[str, Any]
    cache: Path | None = None
    solves: int = 0
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class JobOutcome:
    """What became of a job.

    Attributes
    ----------
    message
        Empty where its output is there, else why not.
    refused
        The message of a `GradauditError` in the model or a setting.
    warnings, seconds
        About the model; wall time.
    """

    message: str = ""
    refused: bool = False
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether its output is there."""
        return not self.message
