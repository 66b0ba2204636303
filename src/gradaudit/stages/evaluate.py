"""Stage: functionals applied to stored arrays, their gradients' errors, attribution and verdicts.

Nothing is solved here: another functional or threshold costs a second.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradaudit.evaluation.audit_table import evaluate
from gradaudit.records.files import read_dataset, write_table
from gradaudit.records.stage import Output, Stage

STAGE = Stage(
    about="errors, attribution and verdicts of a model",
    each=("model",),
    inputs={"reference": "reference", "gradients": "gradients"},
    outputs={"output": Output("evaluate/{model}.parquet", "Parquet table")},
)


def run(*, reference: Path, gradients: list[Path], settings: dict[str, Any], output: Path) -> None:
    """Write one row per (solver, method, tolerance, functional) of one model."""
    certified = read_dataset(reference)
    table = evaluate(certified, [read_dataset(path) for path in gradients], settings)
    model = certified.attrs["model"]
    write_table(table, output, stage="evaluate", settings=settings, model=model)
