"""Stage: every model together: all audits, and the tables that are computed from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd

import gradaudit.analysis  # noqa: F401  # all that lies there is code of this stage
from gradaudit.records.files import read_table, write_table
from gradaudit.records.stage import Output, Stage
from gradaudit.records.table import tables as declared_tables

STAGE = Stage(
    about="every model together: audits, and what is computed from them",
    inputs={"tables": "evaluate"},
    outputs={"audits": Output("atlas/audits.parquet", "Parquet table: every row")},
)


def run(
    *, tables: Sequence[Path], settings: Mapping[str, Any], audits: Path, **computed: Path
) -> None:
    """Write all rows, and the tables that `gradaudit.analysis` declares.

    Parameters
    ----------
    tables
        Tables of stage evaluate.
    settings
        What the tables read: ``accuracies``.
    audits
        File of all rows.
    computed
        Files of the declared tables, by name.
    """
    everything = pd.concat([read_table(path) for path in tables], ignore_index=True)
    write_table(everything, audits, stage="atlas", settings=settings)
    for name, path in computed.items():
        module, table = declared_tables()[name]
        compute = getattr(import_module(module), table.function)
        made = compute(everything, *(settings[key] for key in table.settings))
        write_table(made, path, stage="atlas", settings=settings)
