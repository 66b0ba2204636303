"""What an audit says while it runs: the default gradient, as soon as anything is known of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gradaudit.cli.audit.job import Job, JobOutcome
from gradaudit.cli.audit.tried import answer, error_text, setting, usual_row
from gradaudit.report.numbers import number

if TYPE_CHECKING:
    import pandas as pd

    from gradaudit.cli.audit.view import ReferenceSummary

Collect = Callable[
    [Mapping[str, JobOutcome]], tuple["pd.DataFrame", "ReferenceSummary", dict[str, Any]]
]
"""The table of those jobs that have ended, what it was measured against, the described model."""


class Preliminary:
    """A line when the first error is estimated, and one when there is a reference as well.

    Parameters
    ----------
    jobs
        All of them; the last one to end has no line, since the card follows.
    reference
        The label of the reference among them.
    """

    def __init__(
        self, jobs: list[Job], reference: str, collect: Collect, good: float, horrible: float
    ) -> None:
        self.missing = {job.label: JobOutcome(message="running") for job in jobs}
        self.ended: dict[str, JobOutcome] = {}
        self.reference, self.collect = reference, collect
        self.good, self.horrible = good, horrible
        self.said: set[bool] = set()

    def __call__(self, job: Job, outcome: JobOutcome) -> str:
        """The line after a job, "" for none."""
        self.ended[job.label] = outcome
        certified = self.reference in self.ended and self.ended[self.reference].ok
        solved = any(own.ok for label, own in self.ended.items() if label != self.reference)
        if not solved or certified in self.said or len(self.ended) == len(self.missing):
            return ""
        from gradaudit.cli.audit.table import worst

        table, _, _ = self.collect(self.missing | self.ended)
        line = self._line(worst(table)) if len(table) else ""
        if line:
            self.said |= {certified, False}
        return f"so far: {line}" if line else ""

    def _line(self, rows: pd.DataFrame) -> str:
        from gradaudit.cli.audit.card import likely_error

        row = usual_row(rows)
        words = setting(row)
        match answer(row, self.good, self.horrible):
            case "none":
                return f"{words}: no gradient ({row['status']})"
            case "unknown":
                alike = rows[(rows["method"] == row["method"]) & (rows["rtol"] == row["rtol"])]
                for own in alike.to_dict("records"):  # one solver carries an estimate along
                    error, _, _ = likely_error(own)
                    if not math.isnan(error):
                        return f"{setting(own)}: estimated error {number(error, 2)}"
                return ""
            case word:
                return f"{words}: {word}, relative error {error_text(row)}"
