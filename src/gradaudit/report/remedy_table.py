"""Q3 as a table: what each remedy corrects, mechanism by mechanism."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.analysis.remedies import remedy_name, summary
from gradaudit.records.catalogue import catalogue
from gradaudit.records.labels import functional_name
from gradaudit.report.numbers import DASH, number
from gradaudit.report.tables import Cell, Table

FUNCTIONAL = "functional"
EVERY = "all"


def by_mechanism(remedies: pd.DataFrame) -> Table | None:
    """Mechanisms against remedies: how many gradients each corrects, of how many, and its work.

    The remedies that correct most of what they were tried for come first; what was tried nowhere
    is left out. None if nothing was tried.
    """
    summed = summary(remedies)
    summed = summed[summed["tried"] > 0]
    every = summed[summed["mechanism"] == EVERY].sort_values("share", ascending=False)
    if every.empty:
        return None
    columns = every["remedy"].tolist()
    rows = []
    for mechanism, own in summed[summed["mechanism"] != EVERY].groupby("mechanism", sort=False):
        cells = {row["remedy"]: row for row in own.to_dict("records")}
        used = remedies[remedies["mechanism"] == mechanism]
        row = [Cell(text=str(mechanism)), Cell(text=str(int(own["baselines"].max())))]
        row += [_cell(cells[name], used) if name in cells else Cell(text=DASH) for name in columns]
        rows.append(row)
    return Table(heads=["mechanism", "not good", *map(remedy_name, columns)], rows=rows)


def _cell(row: Mapping[Any, Any], used: pd.DataFrame) -> Cell:
    """How many are corrected, coloured by whether all, some or none are."""
    good, tried = int(row["good"]), int(row["tried"])
    verdict = "good" if good == tried else "bad" if good else "horrible"
    note = _which(used) if row["remedy"] == FUNCTIONAL else _cost(float(row["cost"]))
    return Cell(text=f"{good} of {tried}", verdict=verdict, note=note if good else "")


def _cost(factor: float) -> str:
    return f"work × {number(factor, 2)}" if np.isfinite(factor) else ""


def _which(used: pd.DataFrame) -> str:
    """The functional that corrects most often, and how many others do."""
    mended = used[(used["remedy"] == FUNCTIONAL) & (used["verdict_after"] == "good")]
    changed = mended["changed"].str.removeprefix("functional ").value_counts()
    names = [_functional(str(name)) for name in changed.index]
    return f"{names[0]} or {len(names) - 1} more" if len(names) > 1 else "".join(names)


def _functional(name: str) -> str:
    """A functional in words; its kind, which begins its name, is not in the table."""
    kinds = [kind for kind in catalogue("functionals") if name.startswith(kind)]
    return functional_name(name, max(kinds, key=len, default=""))
