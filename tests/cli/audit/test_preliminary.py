"""What an audit says while it runs."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from gradaudit.cli.audit.job import Job, JobOutcome
from gradaudit.cli.audit.preliminary import Preliminary

LABELS = ("dopri8", "reference", "tsit5")
JOBS = [Job(label=label, stage=label, arguments={}) for label in LABELS]


def row(solver: str, *, error: float, estimate: float) -> dict[str, object]:
    return {
        "solver": solver,
        "method": "forward_ad",
        "rtol": 1e-6,
        "status": "ok",
        "functional": "J",
        "error": error,
        "resolution": 0.0 if error == error else math.inf,
        "verdict": "good" if error == error else "unknown",
        "estimated_error": estimate,
        "work": 1.0,
        "steps": 1.0,
    }


def collect(outcomes):
    """Rows of the solvers that have ended; errors where the reference has."""
    known = outcomes["reference"].ok
    rows = [
        row(
            name,
            error=1e-7 if known else math.nan,
            estimate=2e-7 if name == "tsit5" else math.nan,
        )
        for name in ("dopri8", "tsit5")
        if outcomes[name].ok
    ]
    return pd.DataFrame(rows), None, "made_up"


def lines(order: tuple[str, ...], lost: tuple[str, ...] = ()) -> list[str]:
    words = Preliminary(JOBS, "reference", collect, 1e-2, 1.0)
    by_label = {job.label: job for job in JOBS}
    told = {
        label: words(by_label[label], JobOutcome(message="lost" if label in lost else ""))
        for label in order
    }
    return [label for label, line in told.items() if line]


@pytest.mark.parametrize(
    ("order", "lost", "when"),
    [
        # an error is known with the reference, and the last line is the card's
        (("dopri8", "reference", "tsit5"), (), ["reference"]),
        (("reference", "dopri8", "tsit5"), (), ["dopri8"]),
        # an estimate stands in its place
        (("tsit5", "reference", "dopri8"), (), ["tsit5", "reference"]),
        (("dopri8", "tsit5", "reference"), (), ["tsit5"]),
        (("reference", "tsit5", "dopri8"), ("reference",), ["tsit5"]),
        (("dopri8", "reference", "tsit5"), ("dopri8",), []),
    ],
)
def test_a_line_is_told_as_soon_as_something_new_is_known(order, lost, when):
    assert lines(order, lost) == when


def test_the_lines_have_the_setting_and_the_error():
    words = Preliminary(JOBS, "reference", collect, 1e-2, 1.0)
    dopri8, reference, tsit5 = JOBS
    first = words(tsit5, JobOutcome())
    assert first.startswith("so far: tsit5, forward_ad, rtol 1e-6: estimated error ")
    second = words(reference, JobOutcome())
    assert second == "so far: tsit5, forward_ad, rtol 1e-6: right, relative error 1e-7"
    assert words(dopri8, JobOutcome()) == ""
