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
from gradaudit.records.results import Proof
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
        proof=settings["proof"],
        progress=report,
    )
    proofs, told = _proven(result.proof)
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
            **proofs,
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
            **told,
        },
    )
    write_dataset(dataset, output, stage="reference", settings=settings, **of)


def _proven(proof: Proof | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays and attributes of a proof; none where nobody asked for one."""
    if proof is None:
        return {}, {}
    arrays = {
        "states_lower": (("time", "state"), proof.states_lower),
        "states_upper": (("time", "state"), proof.states_upper),
        "sensitivities_lower": (("time", "state", "parameter"), proof.sensitivities_lower),
        "sensitivities_upper": (("time", "state", "parameter"), proof.sensitivities_upper),
        "proven_digits": (("time", "state", "parameter"), proof.digits.per_entry),
    }
    return arrays, {"proven_digits": float(proof.digits), "proof_status": proof.status}
