"""Made-up results in the format of the real ones, and stores of MLflow to log them to."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from PIL import Image

from gradaudit.records.files import write_dataset, write_table
from gradaudit.stages import track
from gradaudit.tracking.store import default_uri, opened

MODELS = ("logistic", "neuron")
TOLERANCES = tuple(10.0**-k for k in range(3, 13))
FUNCTIONALS = {
    "terminal_V": "terminal",
    "trace_sse_V": "trace_sse",
    "time_average_V": "time_average",
}
METHODS = {"forward_ad": 0.0, "forward_sensitivity": 1.0, "dual_norm": 0.9}
"""Order of convergence of every method."""


def audit(model: str, *, solvers: tuple[str, ...] = ("tsit5", "kvaerno5")) -> pd.DataFrame:
    """The table of stage evaluate."""
    rows = [
        _row(model, solver, method, rtol, functional)
        for solver in solvers
        for method in METHODS
        for rtol in TOLERANCES
        for functional in FUNCTIONALS
    ]
    return pd.DataFrame(rows)


def _row(model: str, solver: str, method: str, rtol: float, functional: str) -> dict[str, Any]:
    order = METHODS[method]
    factor = 10.0 ** list(FUNCTIONALS).index(functional)
    error = max(0.7 * factor * (rtol / 1e-3) ** order * (1e-3 if order else 1.0), 1e-14)
    if solver == "kvaerno5":
        error *= 3.0
    verdict = "good" if error < 1e-2 else "bad" if error < 0.5 else "horrible"
    return {
        "model": model,
        "solver": solver,
        "method": method,
        "rtol": rtol,
        "atol": 1e-3 * rtol,
        "functional": functional,
        "kind": FUNCTIONALS[functional],
        "status": "ok",
        "relative_error": error,
        "normalised_error": 0.1 * error,
        "error": error,
        "digits": -np.log10(error),
        "cosine": 1.0 - min(error, 2.0),
        "gradient_norm": 1.0 + error,
        "reference_norm": 1.0,
        "natural_scale": 10.0,
        "state_part": 0.9 * error,
        "tangent_part": 0.1 * error,
        "observation_part": 0.0,
        "dominant": "state",
        "attribution_residual": 1e-15,
        "order": order,
        "converging": order > 0,
        "sufficient_rtol": 1e-3 if order >= 1 else np.nan,
        "spikes": 0,
        "verdict": verdict,
        "ladder_verdict": "good" if order >= 1 else "bad" if order else "horrible",
        "state_error": rtol,
        "indicator": 2.0 * error,
        "steps": 100.0 * rtol**-0.2,
        "work": 600.0 * rtol**-0.2,
        "accepted": 90.0 * rtol**-0.2,
        "rejected": 10.0 * rtol**-0.2,
        "seconds": 1e-3 * rtol**-0.2,
        "compile_seconds": 1.5,
        "reference_digits": 13.7,
        "mechanism": "made up",
        "regime": "bad",
        "gradient": [1.0, error],
        "reference_gradient": [1.0, 0.0],
    }


def description(model: str) -> str:
    """The attribute `model_json`."""
    return json.dumps(
        {
            "key": model,
            "name": model.replace("_", " ").title(),
            "states": {"V": "mV", "n": ""},
            "parameters": {"g": [1.0, "mS"], "E": [-60.0, "mV"]},
            "t_end": 500.0,
            "time_unit": "ms",
            "mechanism": "made up",
            "regime": "bad",
            "description": "A model that was made up for a test.",
            "citation": "Nobody (1900)",
        }
    )


def experiment() -> pd.DataFrame:
    """The table of stage experiment."""
    rows = [
        {
            "rtol": rtol,
            "atol": 1e-3 * rtol,
            "variant": variant,
            "gradient_norm": size * rtol**order,
            "error_norm": size * rtol**order,
            "state_part": 0.5,
            "tangent_part": 0.5,
            "residual_max": np.inf if rtol < 1e-8 else 1.0,
            "tangent_error": 0.1,
            "points": 500,
            "seconds": 0.1,
            "status": "ok",
        }
        for variant, size, order in (("dual_norm", 1e5, 0.1), ("full_control", 1e3, 1.0))
        for rtol in TOLERANCES[:7]
    ]
    return pd.DataFrame(rows)


def verdicts(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """The table of verdicts of stage atlas."""
    keep = ["model", "mechanism", "regime", "solver", "method", "functional", "kind"]
    table = pd.concat(tables)
    table = table[[*keep, "ladder_verdict", "order"]].drop_duplicates(keep)
    return table.rename(columns={"ladder_verdict": "verdict"}).reset_index(drop=True)


def write_results(folder: Path, models: tuple[str, ...]) -> dict[str, Any]:
    """Write all files under a folder; the arguments of stage track for them."""
    made = {"settings": {}, "stage": "test"}
    tables = {model: audit(model) for model in models}
    for model, table in tables.items():
        write_table(table, folder / f"evaluate/{model}.parquet", **made)
        attributes = {
            "model_json": description(model),
            "digits": 13.7,
            "integral_digits": 13.1,
            "status": "ok",
            "rungs_json": "[]",
        }
        write_dataset(xr.Dataset(attrs=attributes), folder / f"reference/{model}.nc", **made)
        for figure in ("convergence", "attribution", "experiment"):
            write_figure(folder / f"figures/{figure}_{model}.png")
    write_figure(folder / "figures/regime_map.png")
    write_table(experiment(), folder / f"experiment/{models[0]}.parquet", **made)
    write_table(verdicts(list(tables.values())), folder / "atlas/verdicts.parquet", **made)
    return arguments(folder, models)


def arguments(folder: Path, models: tuple[str, ...]) -> dict[str, Any]:
    """Arguments of stage track for the files under a folder."""
    return {
        "tables": [folder / f"evaluate/{model}.parquet" for model in models],
        "references": [folder / f"reference/{model}.nc" for model in models],
        "experiments": [folder / f"experiment/{models[0]}.parquet"],
        "verdicts": folder / "atlas/verdicts.parquet",
        "figures": sorted((folder / "figures").glob("*.png")),
        "settings": {"uri": "", "experiment": "gradaudit"},
        "output": folder / "track/done.json",
    }


def write_figure(path: Path) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (320, 200), (40, 90, 160)).save(path)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up results and a store that holds them, to copy: MLflow needs seconds to make one."""
    folder = tmp_path_factory.mktemp("template") / "my results"
    track.run(**write_results(folder, MODELS))
    return folder


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Arguments of stage track for made-up results; there is no store."""
    return write_results(tmp_path_factory.mktemp("written"), MODELS)


@pytest.fixture
def tracked(tmp_path: Path, template: Path) -> dict[str, Any]:
    """Arguments of stage track for made-up results that a store beside them holds already."""
    folder = tmp_path / "my results"
    shutil.copytree(template, folder)
    return arguments(folder, MODELS)


@pytest.fixture
def store(tracked: dict[str, Any]) -> Callable[[], list[Any]]:
    """All active runs of the store, as MLflow returns them."""
    uri = default_uri(tracked["output"].parent.parent / "mlflow")

    def runs() -> list[Any]:
        with opened(uri, "gradaudit") as (client, experiment):
            return list(client.search_runs([experiment], max_results=1000))

    return runs
