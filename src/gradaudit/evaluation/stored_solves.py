"""Stored arrays of one solve, or of the reference, in scaled parameters: what functionals read.

Takes labelled arrays and returns plain ones; it reads no file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gradaudit.evaluation.gradient_error import Observations
from gradaudit.evaluation.occurrences import EventTable, arranged

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One solve: a method at one tolerance.

    Attributes
    ----------
    occurrences
        Its events, none where the solve failed; None where the method records no events.
    estimates
        Estimated errors of states and integrals (T, N) and of their sensitivities (T, N, m), NaN
        where none were asked for; None where the file has none.
    perturbed
        The events of the perturbed solve that the estimates are made of, if there is one.
    truncated
        Whether it has as many events as a solve records, so that later ones are not known.
    data
        The cell of the dataset, for its scalars.
    """

    method: str
    rtol: float
    status: str
    observations: Observations
    occurrences: EventTable | None
    estimates: tuple[Array, Array] | None
    perturbed: EventTable | None
    truncated: bool
    data: xr.Dataset

    @property
    def ok(self) -> bool:
        """Whether the solve ended as it should."""
        return self.status == "ok"


@dataclass(frozen=True, kw_only=True)
class Solves:
    """The cells of one dataset of stage gradients, loosest tolerance first.

    Attributes
    ----------
    observe
        How observation times are reached: "step", "clip" or "interpolant".
    dtype
        The precision of the solves.
    base_solver, variant
        The solver itself, and in words what the entry of that key has otherwise.
    """

    solver: str
    base_solver: str
    variant: str
    observe: str
    dtype: str
    cells: tuple[Cell, ...]

    def of(self, method: str) -> list[Cell]:
        """The cells of one method."""
        return [cell for cell in self.cells if cell.method == method]

    @property
    def nominal(self) -> list[Cell]:
        """The cells whose grid is chosen from the states alone: those of forward AD, if any."""
        return self.of("forward_ad") or self.of(self.cells[0].method)


def certified_of(
    reference: xr.Dataset, scale: Array, names: Sequence[str]
) -> tuple[Observations, EventTable | None]:
    """The certified observations and events."""
    observations = Observations.single(
        _join(reference["states"].values, reference["integrals"].values),
        scale
        * _join(
            reference["sensitivities"].values, reference["integral_sensitivities"].values, axis=1
        ),
    )
    return observations, _occurrences(reference, scale, names)


def solves_of(dataset: xr.Dataset, scale: Array, names: Sequence[str]) -> Solves:
    """The solves of a dataset of stage gradients.

    A method records events if the variable ``events_located`` says so; where there is none, if
    there is an event in any of its solves, or if all of them failed.
    """
    settings = json.loads(dataset.attrs.get("settings", "{}"))
    located = {
        str(method): _located(dataset.sel({"method": method}))
        for method in dataset["method"].values
    }
    return Solves(
        solver=str(dataset.attrs["solver"]),
        base_solver=str(dataset.attrs.get("base_solver", dataset.attrs["solver"])),
        variant=str(dataset.attrs.get("variant", "")),
        observe=settings.get("variant", {}).get("observe", settings.get("observe", "step")),
        dtype=str(dataset.attrs.get("dtype", "float64")),
        cells=tuple(_cells(dataset, scale, names, located)),
    )


def _cells(
    dataset: xr.Dataset, scale: Array, names: Sequence[str], located: dict[str, bool]
) -> Iterator[Cell]:
    most = dataset.attrs.get("most_events", np.inf)
    for method in dataset["method"].values:
        for rtol in np.sort(dataset["rtol"].values)[::-1]:
            data = dataset.sel({"method": method, "rtol": rtol})
            status = str(data["status"].values)
            occurrences = _occurrences(data, scale, names, ok=status == "ok")
            yield Cell(
                method=str(method),
                rtol=float(rtol),
                status=status,
                observations=_observations(data, scale),
                occurrences=occurrences if located[str(method)] else None,
                estimates=_estimates(data, scale),
                perturbed=_perturbed(data, scale, names),
                truncated=occurrences is not None and int(occurrences.counts().sum()) >= most,
                data=data,
            )


def _located(solves: xr.Dataset) -> bool:
    if "events_located" in solves:
        return bool(solves["events_located"].values)
    if "event" not in solves:
        return False
    return bool(np.any(solves["event"].values >= 0) or np.all(solves["status"].values != "ok"))


def _occurrences(
    data: xr.Dataset, scale: Array, names: Sequence[str], *, ok: bool = True, prefix: str = ""
) -> EventTable | None:
    kinds, *arrays = (
        f"{prefix}event{of}" for of in ("", "_time", "_slope", "_value", "_value_slope")
    )
    if not names or kinds not in data:
        return None
    times, slopes, values, value_slopes = (data[name].values for name in arrays)
    return arranged(
        names,
        data[kinds].values if ok else np.full(data[kinds].shape, -1),
        times,
        scale * slopes,
        values,
        scale * value_slopes,
    )


def _perturbed(data: xr.Dataset, scale: Array, names: Sequence[str]) -> EventTable | None:
    """None, too, where no estimates were asked for."""
    if "estimated_error" not in data or np.all(np.isnan(data["estimated_error"].values)):
        return None
    return _occurrences(data, scale, names, prefix="companion_")


def _estimates(data: xr.Dataset, scale: Array) -> tuple[Array, Array] | None:
    if "estimated_error" not in data:
        return None
    return data["estimated_error"].values, scale * data["estimated_sensitivity_error"].values


def _observations(cell: xr.Dataset, scale: Array) -> Observations:
    """One method at one tolerance, with the chunks that it really has."""
    chunk_of = cell["chunk_of"].values.astype(int)
    chunks = chunk_of.max() + 1
    return Observations(
        z=_join(cell["states"].values, cell["integrals"].values)[:chunks],
        sensitivities=scale
        * _join(cell["sensitivities"].values, cell["integral_sensitivities"].values, axis=1),
        chunk_of=chunk_of,
    )


def _join(states: Array, integrals: Array, axis: int = -1) -> Array:
    return np.concatenate([states, integrals], axis=axis)
