"""Stage: sensitivities of one model by one solver, for every method and tolerance."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gradaudit.description import describe
from gradaudit.eventtable import event_arrays
from gradaudit.frozen import switches
from gradaudit.integrals import integrand_names
from gradaudit.io import write_dataset
from gradaudit.loading import load_model
from gradaudit.markers import MOST
from gradaudit.methods import dual_chunks, sensitivities
from gradaudit.model import Model
from gradaudit.results import Sensitivities
from gradaudit.solvers import get_solver
from gradaudit.specs import key_of
from gradaudit.stiffness import stiffness
from gradaudit.variants import Variant
from gradaudit.witnesses.extras import check_installed

SCALARS = (
    "steps",
    "accepted",
    "rejected",
    "seconds",
    "compile_seconds",
    "estimate_seconds",
    "probe_seconds",
)
SEEN = ("neglected", "crossing_slope")
LOCATING = (
    "forward_ad",
    "forward_sensitivity",
    "forward_sensitivity_partial",
    "saltation",
    "dual_norm",
    "taylor",
)
SHORT = 0.1  # s; a solve faster than this is timed again, for one reading of a clock is no timing
READINGS = 3
Reading = tuple[dict[str, float], str, Callable[[], Sensitivities]]
"""Where a time is kept, by which name, and how to read it again."""


def run(*, model: str, solver: str, settings: dict[str, Any], output: Path) -> None:
    """Write states, integrals and their sensitivities with statuses, costs and the indicator."""
    check_installed(settings["methods"])
    loaded = load_model(model)
    methods, tolerances = _applicable(loaded, settings["methods"]), settings["tolerances"]
    variant = Variant.of(solver, settings)

    def solve(method: str, rtol: float, estimate: bool | str = False) -> Sensitivities:
        return sensitivities(
            loaded,
            solver=variant.solver,
            method=method,
            rtol=rtol,
            atol=settings["atol_factor"] * rtol,
            max_steps=settings["max_steps"],
            estimate=estimate,
            **variant.axes(rtol / max(tolerances)),
        )

    jumps = any(event.jump is not None for event in loaded.events.values())
    # An implicit solver's third program would be compiled for a timing alone, and that takes long.
    probing = not jumps and not get_solver(variant.solver).implicit
    rows: list[Sensitivities] = []
    timed: list[Reading] = []
    for method in methods:
        for rtol in tolerances:
            last = solve(method, rtol)
            last.stats.setdefault("compile_seconds", 0.0)
            timed.append((last.stats, "seconds", partial(solve, method, rtol)))
            if method in settings["estimate"]:
                again = partial(solve, method, rtol, True)
                last = replace(last, estimates=_beside(last, "estimate_seconds", again()).estimates)
                timed.append((last.stats, "estimate_seconds", again))
                if method == "forward_ad" and probing:
                    # What it tells can be had from the whole estimates; this is for its cost.
                    again = partial(solve, method, rtol, "probe")
                    _beside(last, "probe_seconds", again())
                    timed.append((last.stats, "probe_seconds", again))
            rows.append(last)
            print(
                f"{key_of(model)} {solver} {method} rtol={rtol:.1e}: {last.status}, "
                f"{last.stats['steps']:.0f} steps, {last.stats['seconds']:.3g} s",
                file=sys.stderr,
                flush=True,
            )
    _time_again(timed)
    dataset = to_dataset(loaded, rows, methods=methods, tolerances=tolerances)
    dataset["atol"] = ("rtol", [settings["atol_factor"] * rtol for rtol in tolerances])
    dataset["stiffness"] = (("method", "rtol"), _stiffness(loaded, dataset))
    dataset["events_located"] = ("method", [_locates(loaded, method) for method in methods])
    dataset.attrs = {
        "model_json": describe(loaded, key_of(model)),
        "solver": solver,
        "base_solver": variant.solver,
        "variant": variant.text,
        "dtype": variant.options.get("dtype", "float64"),
        "most_events": MOST,
    }
    write_dataset(dataset, output, stage="gradients", settings=settings)


def _stiffness(model: Model, dataset: xr.Dataset) -> np.ndarray:
    """Fast times in the window, of every method and tolerance, at the computed states."""
    states = dataset["states"].values[:, :, 0]
    return np.array([[stiffness(model, dataset["time"].values, y) for y in row] for row in states])


def _locates(model: Model, method: str) -> bool:
    """Whether a method takes down the events that it passes."""
    whole = method != "dual_norm" or len(dual_chunks(model.m)[1]) == 1
    return bool(model.events) and method in LOCATING and whole


def _applicable(model: Model, methods: list[str]) -> list[str]:
    """Without events that matter "saltation" is "forward_sensitivity" again; it is left out."""
    stops = any(event.jump is not None for event in model.events.values())
    if stops or (model.events and switches(model)) or methods == ["saltation"]:
        return methods
    return [method for method in methods if method != "saltation"]


def _beside(plain: Sensitivities, name: str, other: Sensitivities) -> Sensitivities:
    """`other`, after a note in the plain solve of what it costs."""
    plain.stats[name] = other.stats["seconds"]
    plain.stats["compile_seconds"] += other.stats.get("compile_seconds", 0.0)
    return other


def _time_again(timed: list[Reading]) -> None:
    """Keep the fastest of several readings of each short solve.

    They are taken round by round: what slows a machine down for a moment, such as a compilation
    that has just ended, is over in the next round.
    """
    for _ in range(READINGS - 1):
        for stats, name, solve in timed:
            if stats[name] < SHORT:
                stats[name] = min(stats[name], solve().stats["seconds"])


def to_dataset(
    model: Model, rows: list[Sensitivities], *, methods: list[str], tolerances: list[float]
) -> xr.Dataset:
    """Results in the order of (method, tolerance) as one labelled dataset."""
    shape = (len(methods), len(tolerances))
    chunks = max(1 if row.chunk_states is None else len(row.chunk_states) for row in rows)

    def grid(values: list[Any]) -> np.ndarray:
        stacked = np.stack([np.asarray(value) for value in values])
        return stacked.reshape(*shape, *stacked.shape[1:])

    def by_chunk(whole: np.ndarray, split: np.ndarray | None) -> np.ndarray:
        padded = np.full((chunks, *whole.shape), np.nan)
        padded[: 1 if split is None else len(split)] = whole if split is None else split
        return padded

    cell = ("method", "rtol")
    no_chunks = np.zeros(model.m, dtype=np.int64)
    per_method = [row for row in rows[:: len(tolerances)]]
    return xr.Dataset(
        {
            "states": (
                (*cell, "chunk", "time", "state"),
                grid([by_chunk(row.states, row.chunk_states) for row in rows]),
            ),
            "integrals": (
                (*cell, "chunk", "time", "integral"),
                grid([by_chunk(row.integrals, row.chunk_integrals) for row in rows]),
            ),
            "sensitivities": (
                (*cell, "time", "state", "parameter"),
                grid([row.sensitivities for row in rows]),
            ),
            "integral_sensitivities": (
                (*cell, "time", "integral", "parameter"),
                grid([row.integral_sensitivities for row in rows]),
            ),
            "chunk_of": (
                ("method", "parameter"),
                np.stack([no_chunks if r.chunk_of is None else r.chunk_of for r in per_method]),
            ),
            "status": (cell, grid([row.status for row in rows])),
            "indicator": (cell, grid([row.indicator for row in rows])),
            **_estimates(cell, rows, shape, model),
            **event_arrays(cell, [row.events for row in rows], shape, model),
            **event_arrays(
                cell,
                [() if row.estimates is None else row.estimates.events for row in rows],
                shape,
                model,
                prefix="companion_",
            ),
            **{
                name: (cell, grid([row.stats.get(name, np.nan) for row in rows]))
                for name in SCALARS
            },
            **{
                name: (cell, grid([row.indicators.get(name, np.nan) for row in rows]))
                for name in SEEN
            },
        },
        coords={
            "method": methods,
            "rtol": tolerances,
            "time": rows[0].times,
            "state": list(model.states),
            "integral": integrand_names(model),
            "parameter": list(model.parameters),
        },
    )


def _estimates(
    cell: tuple[str, ...], rows: list[Sensitivities], shape: tuple[int, ...], model: Model
) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Estimated errors of states and integrals, and of their sensitivities, NaN without them."""
    times, size = len(rows[0].times), model.n + len(integrand_names(model))
    states = np.full((len(rows), times, size), np.nan)
    tangents = np.full((len(rows), times, size, model.m), np.nan)
    for index, row in enumerate(rows):
        if row.estimates is not None:
            states[index], tangents[index] = row.estimates[:2]
    return {
        "estimated_error": (
            (*cell, "time", "column"),
            states.reshape(*shape, times, size),
        ),
        "estimated_sensitivity_error": (
            (*cell, "time", "column", "parameter"),
            tangents.reshape(*shape, times, size, model.m),
        ),
    }
