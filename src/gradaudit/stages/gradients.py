"""Stage: sensitivities of one model by one solver, for every method and tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gradaudit.backend.jax_setup import to_run_once
from gradaudit.model.definition import Model
from gradaudit.model.loading import load_model
from gradaudit.model.metadata import describe
from gradaudit.model.spec import digest_of, key_of
from gradaudit.model.stiffness import fast_times, stiffness
from gradaudit.model.switching import switches
from gradaudit.pipeline.progress import Report, to_stderr
from gradaudit.pipeline.supervised import solve_within
from gradaudit.records.files import write_dataset
from gradaudit.records.gradients_dataset import to_dataset
from gradaudit.records.results import Sensitivities
from gradaudit.records.stage import Output, Stage
from gradaudit.sensitivity.api import sensitivities
from gradaudit.sensitivity.assemble import failed
from gradaudit.sensitivity.external.requirements import check_installed
from gradaudit.sensitivity.methods import get_method
from gradaudit.sensitivity.request import Request
from gradaudit.sensitivity.result_warnings import neglected_terms_told_elsewhere
from gradaudit.sensitivity.solve_status import TIME_LIMIT
from gradaudit.solvers.event_recorder import MAX_RECORDED_EVENTS
from gradaudit.solvers.options import Estimate, SolveOptions
from gradaudit.solvers.registry import get_solver
from gradaudit.solvers.variant import Variant

STAGE = Stage(
    about="sensitivities of a model by one solver, every method and tolerance",
    each=("model", "solver"),
    process="solving",
    outputs={"output": Output("gradients/{model}/{solver}.nc", "netCDF file")},
)

PROBED = 8
"""Parameters from which on the cost of an estimate along one direction is measured."""

SHORT = 0.1  # s; a solve faster than this is timed again, for one reading of a clock is no timing
READINGS = 3
Reading = tuple[dict[str, float], str, Callable[[], Sensitivities]]
"""Where a time is kept, by which name, and how to read it again."""


def run(
    *,
    model: str,
    solver: str,
    settings: dict[str, Any],
    output: Path,
    report: Report = to_stderr,
) -> None:
    """Write states, integrals and their sensitivities with statuses, costs and the indicator.

    With the setting "untimed", what has an estimate is solved with it and no second time without,
    and no program is made fast. With "probed" false, the cost of an estimate along one direction is
    not measured.
    """
    check_installed(settings["methods"])
    untimed, probed = settings.get("untimed", False), settings.get("probed", True)
    of = {"model": key_of(model), "model_file": digest_of(model)}
    loaded = load_model(model)
    methods, tolerances = _applicable(loaded, settings["methods"]), settings["tolerances"]
    variant = Variant.of(solver, settings)

    slow: set[tuple[str, Estimate]] = set()  # of which a looser tolerance took too long

    def solve(method: str, rtol: float, estimate: Estimate = False, reading: int = 0) -> Any:
        solved = partial(
            _solved,
            loaded,
            solver=variant.solver,
            method=method,
            rtol=rtol,
            atol=settings["atol_factor"] * rtol,
            max_steps=settings["max_steps"],
            estimate=estimate,
            **variant.keywords(rtol / max(tolerances)),
        )
        if untimed:
            with to_run_once():
                return solved()
        if reading:  # again: it was in time before
            return solved()
        limit, key = settings.get("solve_s", math.inf), (method, rtol, estimate)
        found = None if (method, estimate) in slow else solve_within(limit, key, solved)
        if found is None:
            slow.add((method, estimate))
            options = SolveOptions(rtol=rtol, atol=settings["atol_factor"] * rtol)
            return failed(Request(model=loaded, times=loaded.times(), options=options), TIME_LIMIT)
        return found

    jumps = loaded.jumps
    # A third program is compiled for a timing alone: not where that takes long, nor where one
    # direction is hardly less than all of them.
    probing = probed and loaded.m >= PROBED
    probing = probing and not jumps and not get_solver(variant.solver).implicit
    rows: list[Sensitivities] = []
    timed: list[Reading] = []
    for method in methods:
        for rtol in tolerances:
            estimated = method in settings["estimate"] and get_method(method).has_estimates
            last = solve(method, rtol, untimed and estimated)
            last.stats.setdefault("compile_seconds", 0.0)
            timed.append((last.stats, "seconds", partial(solve, method, rtol, reading=1)))
            if estimated and not untimed and last.status != TIME_LIMIT:
                again = partial(solve, method, rtol, True)
                last = replace(last, estimates=_beside(last, "estimate_seconds", again()).estimates)
                timed.append((last.stats, "estimate_seconds", partial(again, reading=1)))
                if get_method(method).is_probed and probing:
                    # What it tells can be had from the whole estimates; this is for its cost.
                    again = partial(solve, method, rtol, "probe")
                    _beside(last, "probe_seconds", again())
                    timed.append((last.stats, "probe_seconds", partial(again, reading=1)))
            rows.append(last)
            report(
                len(rows) / (len(methods) * len(tolerances)),
                f"{key_of(model)} {solver} {method} rtol={rtol:.1e}: {last.status}, "
                f"{last.stats['steps']:.0f} steps, {last.stats['seconds']:.3g} s",
            )
    if not untimed:
        _time_again(timed)
    dataset = to_dataset(loaded, rows, methods=methods, tolerances=tolerances)
    dataset["atol"] = ("rtol", [settings["atol_factor"] * rtol for rtol in tolerances])
    for name, measure in (("stiffness", stiffness), ("fast_times", fast_times)):
        dataset[name] = (("method", "rtol"), _along(measure, loaded, dataset))
    dataset["events_located"] = ("method", [_locates(loaded, method) for method in methods])
    dataset.attrs = {
        "model_json": describe(loaded, key_of(model)),
        "solver": solver,
        "base_solver": variant.solver,
        "variant": variant.text,
        "dtype": variant.options.get("dtype", "float64"),
        "most_events": MAX_RECORDED_EVENTS,
    }
    write_dataset(dataset, output, stage="gradients", settings=settings, solver=solver, **of)


def _solved(model: Model, **setting: Any) -> Sensitivities:
    with neglected_terms_told_elsewhere():  # in the column of that name
        return sensitivities(model, **setting)


def _along(measure: Callable[..., float], model: Model, dataset: xr.Dataset) -> np.ndarray:
    """A measure of stiffness, of every method and tolerance, at the computed states."""
    states = dataset["states"].values[:, :, 0]
    return np.array([[measure(model, dataset["time"].values, y) for y in row] for row in states])


def _locates(model: Model, method: str) -> bool:
    """Whether a method records the events that it passes."""
    declared = get_method(method)
    most = declared.most_parameters
    whole = most is None or model.m <= most
    return bool(model.events) and declared.locates_events and whole


def _applicable(model: Model, methods: list[str]) -> list[str]:
    """Without jumps and switches a method that repeats another one there is left out."""
    repeating = [method for method in methods if get_method(method).same_without_events]
    if model.jumps or switches(model) or methods == repeating:
        return methods
    return [method for method in methods if method not in repeating]


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
            if 0.0 < stats[name] < SHORT:  # 0 where nothing was solved
                stats[name] = min(stats[name], solve().stats["seconds"])
