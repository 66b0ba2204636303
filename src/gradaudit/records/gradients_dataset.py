"""Sensitivities of all methods and tolerances as one labelled dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names
from gradaudit.records.event_arrays import event_arrays
from gradaudit.records.results import Sensitivities

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
