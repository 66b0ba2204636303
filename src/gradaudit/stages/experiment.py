"""Stage: the published experiment on one model, see `stages.experiments.inverse_crime`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gradaudit.model.definition import Model
from gradaudit.model.loading import load_model
from gradaudit.model.metadata import describe
from gradaudit.model.spec import digest_of, key_of
from gradaudit.records.files import write_dataset, write_table
from gradaudit.records.stage import Output, Stage
from gradaudit.sensitivity.nominal_solve import Trace
from gradaudit.stages.experiments.inverse_crime import (
    Certified,
    ExperimentRun,
    certify,
    nominal_traces,
    run_variants,
)

STAGE = Stage(
    about="the published experiment on a model",
    each=("model",),
    models="experiment.models",
    process="solving",
    outputs={
        "output": Output("experiment/{model}.parquet", "Parquet table"),
        "traces": Output("experiment/{model}.nc", "netCDF file of the traces"),
    },
)

DIGITS = 8.0  # of the sensitivities; the experiment compares numbers that differ by factors


def run(*, model: str, settings: dict[str, Any], output: Path, traces: Path) -> None:
    """Write the table of gradient norms and their parts, and the traces behind the figure."""
    of = {"model": key_of(model), "model_file": digest_of(model)}
    loaded = load_model(model)
    nominal = nominal_traces(loaded, settings)
    certified = certify(loaded, nominal, DIGITS)
    outcomes = run_variants(loaded, nominal, certified, settings)
    table = pd.DataFrame([_row(loaded, key_of(model), outcome) for outcome in outcomes])
    table["reference_digits"] = certified.digits
    write_table(table, output, stage="experiment", settings=settings, **of)
    dataset = _traces(loaded, nominal[0], certified, outcomes)
    dataset.attrs = {"model_json": describe(loaded, key_of(model))}
    write_dataset(dataset, traces, stage="experiment", settings=settings, **of)


def _row(model: Model, key: str, outcome: ExperimentRun) -> dict[str, Any]:
    error, first = outcome.error, model.observable_indices[0]
    name = model.observables[0]
    return {
        "model": key,
        "variant": outcome.variant,
        "rtol": outcome.rtol,
        "atol": outcome.atol,
        "status": outcome.solve.status,
        "gradient_norm": float(np.linalg.norm(error.gradient)),
        "reference_norm": float(np.linalg.norm(error.reference)),
        "error_norm": float(np.linalg.norm(error.difference)),
        "state_part": float(np.linalg.norm(error.state_part)),
        "tangent_part": float(np.linalg.norm(error.tangent_part)),
        "attribution_residual": error.residual,
        # Of one state: the largest over states with different units would have no unit.
        "residual_max": float(np.max(np.abs(outcome.residuals[:, first]))),
        "residual_of": name,
        "residual_unit": model.states[name][1],
        "tangent_error": outcome.tangent_error,
        "points": len(outcome.residuals),
        "steps": outcome.solve.stats["steps"],
        "seconds": outcome.solve.stats["seconds"],
    }


def _traces(
    model: Model, coarse: Trace, certified: Certified, outcomes: list[ExperimentRun]
) -> xr.Dataset:
    """The first observable at the loosest tolerance, and each variant's residual."""
    first = model.observable_indices[0]
    states, sensitivities = certified.at(coarse.times)
    loosest = [o for o in outcomes if o.rtol == outcomes[0].rtol]
    # The loss is differentiated in plain parameters, so the plain sensitivity is its amplifier.
    amplifier = np.linalg.norm(sensitivities[:, first, :], axis=-1)
    dataset = xr.Dataset(
        {
            "certified": ("time", states[:, first]),
            "nominal": ("time", coarse.states[:, first]),
            "amplification": ("time", amplifier),
            "residual": (
                ("variant", "time"),
                np.stack([o.residuals[:, first] for o in loosest]),
            ),
        },
        coords={"time": coarse.times, "variant": [o.variant for o in loosest]},
    )
    return dataset
