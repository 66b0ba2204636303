"""Certified gradients of a problem at several points, and as a labelled dataset."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.errors import ProblemError
from gradaudit.evaluation.information import FisherInformation
from gradaudit.problem.certified import ReferenceGradient, reference_with_solves
from gradaudit.problem.definition import Problem
from gradaudit.problem.information import of_simulation
from gradaudit.problem.points import NOMINAL, points
from gradaudit.problem.simulation import Simulation
from gradaudit.records.results import Digits

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]
Certified = Mapping[str, ReferenceGradient | str]
"""Certified gradients by the names of their points; the reason where there is none."""

REFUSED = "refused: "

_NUMBERS = ("value", "value_bound", "seconds")
_VECTORS = ("gradient", "bounds", "point", "point_values", "sizes")
_ROWS = ("simulated", "residuals")
_FISHER = {
    "matrix": ("parameter", "parameter_2"),
    "matrix_error": ("parameter", "parameter_2"),
    "eigenvalues": ("direction",),
    "eigenvalue_bars": ("direction", "bar"),
    "eigenvectors": ("parameter", "direction"),
    "standard_errors": ("parameter",),
    "standard_error_bars": ("parameter", "bar"),
    "condition": (),
    "condition_bar": ("bar",),
    "resolution": (),
}
"""Fields of a Fisher information with their dimensions."""


def certificates(
    problem: Problem, *, drawn: int, seed: int, digits: float, time_limit: float
) -> Iterator[tuple[str, ReferenceGradient | str, FisherInformation | None]]:
    """The points of `gradaudit.problem.points`, one after another, with the information there.

    What is refused at one point need not be refused at another.

    Parameters
    ----------
    digits
        Significant digits to certify of each entry.
    time_limit
        Seconds for each point.
    """
    settings = {"digits": digits, "time_limit": time_limit}
    for name, exact, solves in _solved(problem, drawn, seed, **settings):
        yield name, exact, None if solves is None else of_simulation(problem, solves)


def gradients(
    problem: Problem, *, drawn: int, seed: int, digits: float, time_limit: float, processes: int = 1
) -> Iterator[tuple[str, ReferenceGradient | str]]:
    """The same without information, by processes side by side as for `reference_gradient`."""
    settings = {"digits": digits, "time_limit": time_limit, "processes": processes}
    for name, exact, _ in _solved(problem, drawn, seed, **settings):
        yield name, exact


def _solved(
    problem: Problem, drawn: int, seed: int, **settings: Any
) -> Iterator[tuple[str, ReferenceGradient | str, Simulation | None]]:
    for name, p in points(problem.parameters, drawn=drawn, seed=seed).items():
        try:
            exact, solves = reference_with_solves(problem, p, **settings)
        except ProblemError as error:
            yield name, str(error), None
        else:
            yield name, exact, solves


def as_dataset(
    problem: Problem, certified: Certified, fisher: FisherInformation | None = None
) -> xr.Dataset:
    """All that the certificates hold, by point, parameter, condition and observable.

    ``status`` has "refused: " and the reason where there is none, and its numbers are NaN.

    Parameters
    ----------
    fisher
        The certified information at the nominal parameters.
    """
    import xarray as xr

    names, measured = problem.parameters.names, len(problem.measurements)
    kept = [own for own in certified.values() if not isinstance(own, str)]
    pairs = list(dict.fromkeys(pair for own in kept for pair in own.by_observable))
    nothing = np.full(len(names), np.nan)
    by_pair = [[_pair(own, pair, nothing) for pair in pairs] for own in certified.values()]
    dims = {
        **dict.fromkeys(_NUMBERS, ("point_name",)),
        **dict.fromkeys(_VECTORS, ("point_name", "parameter")),
        **dict.fromkeys(_ROWS, ("point_name", "measurement")),
    }
    sizes = {"parameter": len(names), "measurement": measured}
    shapes = {name: tuple(sizes[dim] for dim in own[1:]) for name, own in dims.items()}
    variables: dict[str, Any] = {
        name: (own, np.array([_of(found, name, shapes[name]) for found in certified.values()]))
        for name, own in dims.items()
    }
    variables["digits"] = (
        ("point_name", "parameter"),
        np.array([nothing if isinstance(g, str) else g.digits.per_entry
                  for g in certified.values()]),
    )  # fmt: skip
    shape = (len(certified), len(pairs))
    variables["by_observable_value"] = (
        ("point_name", "pair"),
        np.array([[value for value, _ in own] for own in by_pair]).reshape(shape),
    )
    variables["by_observable_gradient"] = (
        ("point_name", "pair", "parameter"),
        np.array([[own for _, own in row] for row in by_pair]).reshape(*shape, len(names)),
    )
    variables["status"] = (
        "point_name",
        [f"{REFUSED}{g}" if isinstance(g, str) else g.status for g in certified.values()],
    )
    attributes = {"problem": problem.name, "scales": json.dumps(problem.parameters.scales)}
    if fisher is not None:
        for name, dimensions in _FISHER.items():
            variables[f"fisher_{name}"] = dimensions, np.asarray(getattr(fisher, name))
        attributes["fisher_status"] = fisher.status
    return xr.Dataset(
        variables,
        coords={
            "point_name": list(certified),
            "parameter": list(names),
            "condition": ("pair", [name for name, _ in pairs]),
            "observable": ("pair", [name for _, name in pairs]),
        },
        attrs=attributes,
    )


def information_from(dataset: xr.Dataset) -> FisherInformation | None:
    """The certified information at the nominal parameters, without the Jacobian it comes from."""
    if "fisher_status" not in dataset.attrs:
        return None
    names = tuple(map(str, dataset["parameter"].values))
    fields: dict[str, Any] = {name: dataset[f"fisher_{name}"].values for name in _FISHER}
    fields |= {name: float(fields[name]) for name in ("condition", "resolution")}
    fields["condition_bar"] = tuple(map(float, fields["condition_bar"]))
    nothing = np.zeros((0, len(names)))
    return FisherInformation(
        **fields,
        parameters=names,
        source="certified",
        status=str(dataset.attrs["fisher_status"]),
        rows=nothing,
        row_errors=nothing,
    )


def without_problem(name: str, reason: str) -> xr.Dataset:
    """What stands in its place where a problem cannot be read."""
    import xarray as xr

    return xr.Dataset(
        {"status": ("point_name", [f"{REFUSED}{reason}"])},
        coords={"point_name": [NOMINAL]},
        attrs={"problem": name},
    )


def unread(dataset: xr.Dataset) -> str:
    """Why the problem of a dataset could not be read; empty where it could."""
    if "parameter" in dataset.coords:
        return ""
    return str(dataset["status"].values[0]).removeprefix(REFUSED)


def from_dataset(dataset: xr.Dataset) -> dict[str, ReferenceGradient | str]:
    """The certificates that `as_dataset` has stored."""
    names = tuple(map(str, dataset["parameter"].values))
    pairs = list(
        zip(map(str, dataset["condition"].values), map(str, dataset["observable"].values),
            strict=True)
    )  # fmt: skip
    scales = tuple(json.loads(dataset.attrs["scales"]))
    found: dict[str, ReferenceGradient | str] = {}
    for name in map(str, dataset["point_name"].values):
        own = dataset.sel(point_name=name)
        status = str(own["status"].values)
        if status.startswith(REFUSED):
            found[name] = status.removeprefix(REFUSED)
            continue
        values, gradients = own["by_observable_value"].values, own["by_observable_gradient"].values
        by_observable = {pair: (float(values[k]), gradients[k]) for k, pair in enumerate(pairs)}
        by_condition: dict[str, tuple[float, Array]] = {}
        for (condition, _), (value, gradient) in by_observable.items():
            before, summed = by_condition.get(condition, (0.0, np.zeros(len(names))))
            by_condition[condition] = (before + value, summed + gradient)
        fields: dict[str, Any] = {key: float(own[key].values) for key in _NUMBERS}
        fields |= {key: own[key].values for key in (*_VECTORS, *_ROWS)}
        found[name] = ReferenceGradient(
            **fields,
            digits=Digits(own["digits"].values),
            status=status,
            parameters=names,
            scale=scales,
            by_condition=by_condition,
            by_observable=by_observable,
        )
    return found


def _pair(
    found: ReferenceGradient | str, pair: tuple[str, str], nothing: Array
) -> tuple[float, Array]:
    if isinstance(found, str) or pair not in found.by_observable:
        return np.nan, nothing
    return found.by_observable[pair]


def _of(found: ReferenceGradient | str, name: str, shape: tuple[int, ...]) -> Any:
    return np.full(shape, np.nan) if isinstance(found, str) else getattr(found, name)
