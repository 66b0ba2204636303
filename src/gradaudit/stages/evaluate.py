"""Stage: functionals applied to stored arrays, their gradients' errors, attribution and verdicts.

Nothing is solved here: another functional or threshold costs a second.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gradaudit.functionals import Context, Functional, all_functionals
from gradaudit.io import read_dataset, write_table
from gradaudit.metrics import GradientError, Observations, gradient_error, state_error
from gradaudit.verdict import Thresholds, judge_ladder

SCALARS = ("indicator", "steps", "accepted", "rejected", "seconds", "compile_seconds")
LADDER = ["solver", "method", "functional"]


def run(*, reference: Path, gradients: list[Path], settings: dict[str, Any], output: Path) -> None:
    """Write one row a (solver, method, tolerance, functional) of one model."""
    table = evaluate(read_dataset(reference), [read_dataset(path) for path in gradients], settings)
    write_table(table, output, stage="evaluate", settings=settings)


def evaluate(
    reference: xr.Dataset, gradients: list[xr.Dataset], settings: dict[str, Any]
) -> pd.DataFrame:
    """The table of `run` from datasets; docs/results.md describes its columns."""
    model = json.loads(reference.attrs["model_json"])
    scale = np.array(model["parameter_scale"])
    certified = Observations.single(
        _join(reference["states"].values, reference["integrals"].values),
        scale
        * _join(
            reference["sensitivities"].values, reference["integral_sensitivities"].values, axis=1
        ),
    )
    functionals = all_functionals(
        Context(
            times=reference["time"].values,
            observations=certified.z[0],
            states=tuple(model["states"]),
            integrals=tuple(model["integrals"]),
            observables=tuple(model["observables"]),
            settings=settings["functionals"],
        )
    )
    thresholds = Thresholds.from_settings(settings["verdict"])
    facts = {
        "model": model["key"],
        "mechanism": model["mechanism"],
        "regime": model["regime"],
        "reference_digits": float(reference.attrs["digits"]),
    }
    rows = [
        facts | row
        for dataset in gradients
        for row in _rows(dataset, certified, functionals, scale, thresholds)
    ]
    return _with_verdicts(pd.DataFrame(rows), thresholds)


def _rows(
    dataset: xr.Dataset,
    certified: Observations,
    functionals: list[Functional],
    scale: np.ndarray,
    thresholds: Thresholds,
) -> Iterator[dict[str, Any]]:
    for method in dataset["method"].values:
        for rtol in dataset["rtol"].values:
            cell = dataset.sel({"method": method, "rtol": rtol})
            computed = _observations(cell, scale)
            shared = {
                "solver": dataset.attrs["solver"],
                "method": str(method),
                "rtol": float(rtol),
                "atol": float(cell["atol"]),
                "status": str(cell["status"].values),
                "state_error": state_error(computed.z[0], certified.z[0]),
                **{name: float(cell[name]) for name in SCALARS},
            }
            for functional in functionals:
                error = gradient_error(functional, computed, certified)
                yield shared | _describe(functional, error, thresholds)


def _observations(cell: xr.Dataset, scale: np.ndarray) -> Observations:
    """One method at one tolerance, with the chunks that it really has."""
    chunk_of = cell["chunk_of"].values.astype(int)
    chunks = chunk_of.max() + 1
    return Observations(
        z=_join(cell["states"].values, cell["integrals"].values)[:chunks],
        sensitivities=scale
        * _join(cell["sensitivities"].values, cell["integral_sensitivities"].values, axis=1),
        chunk_of=chunk_of,
    )


def _join(states: np.ndarray, integrals: np.ndarray, axis: int = -1) -> np.ndarray:
    return np.concatenate([states, integrals], axis=axis)


def _describe(
    functional: Functional, error: GradientError, thresholds: Thresholds
) -> dict[str, Any]:
    zero = error.is_zero(thresholds.cancellation)
    counts = error.normalised if zero else error.relative
    unit = error.natural_scale if zero else float(np.linalg.norm(error.reference))
    parts = {
        "state": float(np.linalg.norm(error.state_part)) / unit,
        "tangent": float(np.linalg.norm(error.tangent_part)) / unit,
        # Observations are steps of the method itself, so they have no error of their own.
        "observation": 0.0,
    }
    return {
        "functional": functional.name,
        "kind": functional.kind,
        "relative_error": error.relative,
        "normalised_error": error.normalised,
        "error": counts,
        "digits": -math.log10(max(counts, 1e-17)) if math.isfinite(counts) else math.nan,
        "cosine": math.nan if zero else error.cosine,
        "gradient_norm": float(np.linalg.norm(error.gradient)),
        "reference_norm": float(np.linalg.norm(error.reference)),
        "natural_scale": error.natural_scale,
        **{f"{name}_part": part for name, part in parts.items()},
        "dominant": _dominant(parts, counts, thresholds.floor),
        "attribution_residual": error.residual,
        "gradient": error.gradient.tolist(),
        "reference_gradient": error.reference.tolist(),
    }


def _dominant(parts: dict[str, float], error: float, floor: float) -> str:
    if not math.isfinite(error):
        return ""
    return "rounding" if error <= floor else max(parts, key=lambda name: parts[name])


def _with_verdicts(table: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    judged = []
    for _, ladder in table.groupby(LADDER, sort=False):
        ladder = ladder.sort_values("rtol", ascending=False)
        result, verdicts = judge_ladder(
            ladder["rtol"].tolist(), ladder["error"].tolist(), ladder["cosine"].tolist(), thresholds
        )
        judged.append(
            ladder.assign(
                order=result.order,
                converging=result.converging,
                verdict=verdicts,
                ladder_verdict=result.verdict,
            )
        )
    return pd.concat(judged, ignore_index=True)
