"""Stage: one model along its first parameter, see `gradaudit.stages.experiments.parameter_scan`."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gradaudit import certification
from gradaudit.model.definition import Model
from gradaudit.model.loading import load_model
from gradaudit.model.metadata import describe
from gradaudit.model.spec import digest_of, key_of
from gradaudit.records.files import write_dataset
from gradaudit.records.stage import Output, Stage
from gradaudit.stages.experiments.parameter_scan import (
    PLACES,
    Jump,
    Point,
    Sweep,
    jumps,
    largest_jump,
    quotient_errors,
    roughness,
)

STAGE = Stage(
    about="a model along its first parameter",
    each=("model",),
    models="sweep.models",
    process="solving",
    outputs={"output": Output("sweep/{model}.nc", "netCDF file")},
)

DIGITS = 8.0  # of the reference at the nominal parameter
LOCATED = 1e-6  # of the parameter: how well a jump of the number of events is located
V_STEPS = 10.0 ** np.arange(-10.0, -0.9, 0.5)  # over the parameter


def run(*, model: str, settings: dict[str, Any], output: Path) -> None:
    """Write J and its derivatives along p, the jumps of numbers of events, and the V-curve.

    A solve that takes longer than ``solve_s`` has the status `time_limit` and no values.

    Parameters
    ----------
    settings
        ``solver``, ``rtol``, ``atol_factor``, ``max_steps``, ``solve_s``; ``points`` values of p
        over p (1 - `span`) to p (1 + `span`); ``steps`` of difference quotients, over p.
    output
        netCDF file.
    """
    of = {"model": key_of(model), "model_file": digest_of(model)}
    loaded = load_model(model)
    dataset = measure(loaded, settings)
    dataset.attrs["model_json"] = describe(loaded, key_of(model))
    write_dataset(dataset, output, stage="sweep", settings=settings, **of)


def measure(model: Model, settings: dict[str, Any]) -> xr.Dataset:
    """The dataset of one sweep; see `run`."""
    sweep = Sweep(
        model,
        settings["solver"],
        settings["rtol"],
        settings["atol_factor"],
        settings["max_steps"],
        settings.get("solve_s", math.inf),
    )
    reach = settings["span"] * sweep.scale
    grid = np.linspace(sweep.nominal - reach, sweep.nominal + reach, settings["points"])
    points, exact = [sweep.at(p) for p in grid], [sweep.exactly_at(p) for p in grid]
    steps = np.array(settings["steps"])
    values, truth = (np.array([point.value for point in curve]) for curve in (points, exact))
    events = list(model.events)
    dataset = xr.Dataset(
        {
            "value": ("p", values),
            "exact_value": ("p", truth),
            "roughness": ("p", roughness(grid, values, truth)),
            "gradient": ("p", np.array([point.gradient for point in points])),
            "exact_gradient": ("p", np.array([point.gradient for point in exact])),
            "quotient": (
                ("step", "p"),
                np.array([[sweep.quotient(p, step) for p in grid] for step in steps]),
            ),
            "status": ("p", np.array([point.status for point in points])),
            "exact_status": ("p", np.array([point.status for point in exact])),
            "accepted": ("p", np.array([point.decisions[0] for point in points])),
            "rejected": ("p", np.array([point.decisions[1] for point in points])),
            "count": (("event", "p"), _counts(points, len(events))),
            "exact_count": (("event", "p"), _counts(exact, len(events))),
        },
        coords={"p": grid, "step": steps, "event": np.array(events, dtype=str)},
    )
    located = [
        (name, "exact" if at == sweep.exactly_at else "computed", index, jump)
        for index, name in enumerate(events)
        for at, curve in ((sweep.at, points), (sweep.exactly_at, exact))
        for jump in jumps(at, curve, _count_of(index), width=LOCATED * sweep.scale)
    ]
    largest = largest_jump(sweep.at, points)
    parts = [dataset, _jumps(located), _v_curve(sweep, points, exact, largest)]
    return xr.merge(parts).assign_attrs(_facts(model, sweep, largest))


def _count_of(index: int) -> Callable[[Point], int]:
    return lambda point: point.counts[index]


def _counts(points: list[Any], events: int) -> np.ndarray:
    return np.array([point.counts for point in points]).reshape(len(points), events).T


def _jumps(located: list[tuple[str, str, int, Jump]]) -> xr.Dataset:
    """Jumps of numbers of events: where, of which, from and to, in which of the two curves."""
    return xr.Dataset(
        {
            "jump_p": ("jump", np.array([j.place for *_, j in located], dtype=float)),
            "jump_event": ("jump", np.array([name for name, *_ in located], dtype=str)),
            "jump_curve": ("jump", np.array([curve for _, curve, *_ in located], dtype=str)),
            "jump_before": (
                "jump",
                np.array([j.below.counts[i] for _, _, i, j in located], dtype=np.int64),
            ),
            "jump_after": (
                "jump",
                np.array([j.above.counts[i] for _, _, i, j in located], dtype=np.int64),
            ),
        }
    )


def _v_curve(sweep: Sweep, points: list, exact: list, largest: Jump | None) -> xr.Dataset:
    """Error of difference quotients by their step: along p, and at the largest jump of J."""
    chosen = np.unique(np.linspace(0, len(points) - 1, PLACES).round().astype(int))
    slopes = np.array([exact[k].gradient for k in chosen])
    along = quotient_errors(sweep, [points[k].p for k in chosen], slopes.tolist(), V_STEPS.tolist())
    frozen = np.array([points[k].gradient for k in chosen])
    curves = {"v_along": ("v_step", along)}
    if largest is not None:
        slope = sweep.exactly_at(largest.place).gradient
        at_jump = quotient_errors(sweep, [largest.place], [slope], V_STEPS.tolist())
        curves["v_at_jump"] = ("v_step", at_jump)
    dataset = xr.Dataset(curves, coords={"v_step": V_STEPS})
    dataset["v_frozen"] = np.sqrt(np.mean((frozen - slopes) ** 2) / np.mean(slopes**2))
    return dataset


def _facts(model: Model, sweep: Sweep, largest: Jump | None) -> dict[str, Any]:
    """The certified value and derivative at the nominal parameter, and what was swept."""
    first = model.observable_indices[0]
    certified = certification.reference(model, times=[model.t_end], digits=DIGITS)
    return {
        "parameter": next(iter(model.parameters)),
        "observable": model.observables[0],
        "nominal": sweep.nominal,
        "reference_value": float(certified.states[0, first]),
        "reference_gradient": float(certified.sensitivities[0, first, 0]),
        "reference_digits": float(certified.digits),
        "reference_status": certified.status,
        "largest_jump": 0.0 if largest is None else largest.size,
        "largest_jump_p": sweep.nominal if largest is None else largest.place,
    }
