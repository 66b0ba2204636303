"""Stage: the states of one model by one solver at every tolerance, without any derivative."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from gradaudit.model.loading import load_model
from gradaudit.model.metadata import describe
from gradaudit.model.spec import digest_of, key_of
from gradaudit.pipeline.supervised import solve_within
from gradaudit.records.files import write_dataset
from gradaudit.records.stage import Output, Stage
from gradaudit.sensitivity.nominal_solve import Trace, primal
from gradaudit.sensitivity.solve_status import TIME_LIMIT
from gradaudit.solvers.options import StaticOptions, TracedOptions

STAGE = Stage(
    about="states of a model by one solver at every tolerance",
    each=("model", "solver"),
    solvers="as_it_is",
    process="solving",
    outputs={"output": Output("simulate/{model}/{solver}.nc", "netCDF file")},
)


def run(*, model: str, solver: str, settings: dict[str, Any], output: Path) -> None:
    """Write states (rtol, time, state) with counts, seconds and a status for every tolerance."""
    of = {"model": key_of(model), "model_file": digest_of(model)}
    loaded = load_model(model)
    program = primal(loaded, StaticOptions(solver=solver, max_steps=settings["max_steps"]))
    times = loaded.times()
    traces: list[Trace] = []
    for rtol in settings["tolerances"]:
        solve = partial(program, times, TracedOptions(rtol, settings["atol_factor"] * rtol))
        slow = bool(traces) and traces[-1].status == TIME_LIMIT  # and a tighter one is slower
        found = None if slow else solve_within(settings.get("solve_s", math.inf), rtol, solve)
        nothing = np.full((len(times), loaded.n), np.nan)
        traces.append(found or Trace(times, nothing, 0, 0, 0, TIME_LIMIT, math.nan))
    states = [t.states if t.status == "ok" else np.full_like(t.states, np.nan) for t in traces]
    dataset = xr.Dataset(
        {
            "states": (("rtol", "time", "state"), np.stack(states)),
            "status": ("rtol", [t.status for t in traces]),
            **{
                name: ("rtol", [getattr(t, name) for t in traces])
                for name in ("steps", "accepted", "rejected", "seconds")
            },
        },
        coords={"rtol": settings["tolerances"], "time": times, "state": list(loaded.states)},
        attrs={"model_json": describe(loaded, key_of(model)), "solver": solver},
    )
    write_dataset(dataset, output, stage="simulate", settings=settings, solver=solver, **of)
