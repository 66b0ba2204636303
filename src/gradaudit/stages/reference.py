"""Stage: certified states and sensitivities of one model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import xarray as xr

from gradaudit.certification import reference
from gradaudit.model.loading import load_model
from gradaudit.model.metadata import describe
from gradaudit.model.quadratures import integrand_names
from gradaudit.model.spec import digest_of, key_of
from gradaudit.pipeline.progress import Report, to_stderr
from gradaudit.records.event_arrays import event_arrays
from gradaudit.records.files import write_dataset
from gradaudit.records.stage import Output, Stage

STAGE = Stage(
    about="certified states and sensitivities",
    each=("model",),
    process="solving",
    outputs={"output": Output("reference/{model}.nc", "netCDF file")},
)


def run(*, model: str, settings: dict[str, Any], output: Path, report: Report = to_stderr) -> None:
    """Write the reference with the digits of every entry and the record of all solves."""
    of = {"model": key_of(model), "model_file": digest_of(model)}
    loaded = load_model(model)
    result = reference(
        loaded,
        digits=settings["digits"],
        negligible=settings["negligible"],
        time_limit=settings["time_limit_s"],
        progress=report,
    )
    dataset = xr.Dataset(
        {
            "states": (("time", "state"), result.states),
            "sensitivities": (("time", "state", "parameter"), result.sensitivities),
            "integrals": (("time", "integral"), result.integrals),
            "integral_sensitivities": (
                ("time", "integral", "parameter"),
                result.integral_sensitivities,
            ),
            "digits": (("time", "state", "parameter"), result.digits.per_entry),
            **event_arrays((), [result.events], (), loaded),
        },
        coords={
            "time": result.times,
            "state": list(loaded.states),
            "integral": integrand_names(loaded),
            "parameter": list(loaded.parameters),
        },
        attrs={
            "model_json": describe(loaded, key_of(model)),
            "digits": float(result.digits),
            "integral_digits": float(result.integral_digits),
            "status": result.status,
            "rungs_json": json.dumps(result.rungs),
        },
    )
    write_dataset(dataset, output, stage="reference", settings=settings, **of)
