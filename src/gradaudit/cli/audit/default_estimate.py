"""The estimated error of the default setting, where its solver carried no estimate along.

Only one solver of an audit carries an estimate, for that is a second program to compile. Which
setting is the default one is known when all solves have ended.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradaudit.cli.audit.job import Job
from gradaudit.pipeline.config import Study, settings_of
from gradaudit.records.catalogue import catalogue

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FILE = "estimate.nc"


def missing_estimate(table: pd.DataFrame) -> Mapping[str, Any] | None:
    """The default setting if it has a gradient, and could have an estimate and has none."""
    from gradaudit.cli.audit.card import likely_error
    from gradaudit.cli.audit.table import worst
    from gradaudit.cli.audit.tried import usual_row

    if table.empty:
        return None
    row = usual_row(worst(table))
    able = catalogue("methods")[row["method"]].has_estimates
    known = not math.isnan(likely_error(row)[0])
    return row if able and row["status"] == "ok" and not known else None


def estimate_job(
    row: Mapping[str, Any], *, model: str, study: Study, folder: Path, cache: Path | None
) -> Job:
    """A solve of this setting alone, with its estimate."""
    settings = json.loads(settings_of("gradients", study, solver=row["solver"]))
    chosen = {"methods": [row["method"]], "estimate": [row["method"]], "tolerances": [row["rtol"]]}
    return Job(
        label=f"estimate for {row['solver']}",
        stage="gradients",
        arguments={
            "model": model,
            "solver": row["solver"],
            "settings": settings | chosen,
            "output": folder / FILE,
        },
        cache=cache,
        solves=1,
        optional=True,
    )


def add_estimate(gradients: list[xr.Dataset], estimated: xr.Dataset) -> None:
    """Put the estimates of one setting among the solves of its solver."""
    own = [dataset for dataset in gradients if dataset.attrs["solver"] == estimated.attrs["solver"]]
    for dataset in own:
        named = [name for name in estimated if str(name).startswith("estimate")]
        place = {key: dataset[key] for key in ("method", "rtol")}
        for name, values in estimated[named].reindex(place).items():
            dataset[name] = dataset[name].fillna(values) if name in dataset else values
