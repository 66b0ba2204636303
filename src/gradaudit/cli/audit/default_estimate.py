"""The estimated error of the default setting: at first, and where its solver carried none along.

Only one solver of an audit carries an estimate, for that is a second program to compile. What it
says of the default tolerance alone is the first that an audit tells. Which setting is the default
one is known when all solves have ended; if it is that of another solver, it is solved once more.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradaudit.cli.audit.job import Job
from gradaudit.pipeline.config import Study, ladder_of, settings_of
from gradaudit.records.catalogue import catalogue
from gradaudit.records.usual import METHOD, TODAY

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FEW = 2
"""So few solves of a solver need no first look."""


def first_look(*, model: str, study: Study, folder: Path, cache: Path | None) -> list[Job]:
    """A job for the solver that carries an estimate along, at the tolerance nearest to the default.

    No job where no solver does, or where its solves are few.
    """
    for solver in study.solvers:
        settings = json.loads(settings_of("gradients", study, solver=solver))
        known = catalogue("methods")
        able = [m for m in study.methods if m in settings["estimate"] and known[m].has_estimates]
        tolerances = ladder_of(study, solver)
        if able and len(tolerances) * len(study.methods) > FEW:
            method = METHOD if METHOD in able else able[0]
            rtol = min(tolerances, key=lambda own: abs(math.log10(own / TODAY)))
            row = {"solver": solver, "method": method, "rtol": rtol}
            look = _job(row, model=model, study=study, folder=folder, cache=cache)
            return [replace(look, label="first look")]
    return []


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
    job = _job(row, model=model, study=study, folder=folder, cache=cache)
    return replace(job, optional=True)


def with_estimates(gradients: Sequence[xr.Dataset], folder: Path) -> list[xr.Dataset]:
    """The solves of several solvers, with what the jobs of this module have found.

    An estimate stands beside the solves of its solver, alone where these have not ended.
    """
    from gradaudit.records.files import read_dataset

    found = {str(dataset.attrs["solver"]): dataset for dataset in gradients}
    for path in sorted(folder.glob(f"{_PREFIX}*.nc")):
        estimated = read_dataset(path)
        own = found.setdefault(str(estimated.attrs["solver"]), estimated)
        if own is not estimated:
            add_estimate(own, estimated)
    return list(found.values())


def add_estimate(solves: xr.Dataset, estimated: xr.Dataset) -> None:
    """Put the estimates of one setting among the solves of its solver."""
    named = [name for name in estimated if str(name).startswith("estimate")]
    place = {key: solves[key] for key in ("method", "rtol")}
    for name, values in estimated[named].reindex(place).items():
        solves[name] = solves[name].fillna(values) if name in solves else values


_PREFIX = "estimate_of_"


def _job(
    row: Mapping[str, Any], *, model: str, study: Study, folder: Path, cache: Path | None
) -> Job:
    settings = json.loads(settings_of("gradients", study, solver=row["solver"]))
    chosen = {
        "methods": [row["method"]],
        "estimate": [row["method"]],
        "tolerances": [row["rtol"]],
        "untimed": True,
    }
    return Job(
        label=f"estimate for {row['solver']}",
        stage="gradients",
        arguments={
            "model": model,
            "solver": row["solver"],
            "settings": settings | chosen,
            "output": folder / f"{_PREFIX}{row['solver']}.nc",
        },
        cache=cache,
        solves=1,
    )
