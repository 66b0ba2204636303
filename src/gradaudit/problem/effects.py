"""What the errors of gradients and sensitivities by many settings change, at one point."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.errors import ProblemError
from gradaudit.evaluation.information import FisherInformation, information
from gradaudit.evaluation.work import work
from gradaudit.problem.certified import ReferenceGradient, reference_with_solves
from gradaudit.problem.definition import Problem
from gradaudit.problem.gradient import approximation_at
from gradaudit.problem.information import of_simulation
from gradaudit.problem.ladder import GIVEN_UP, NOT_RUN
from gradaudit.problem.needed import DONE, Metric, step_change, widths
from gradaudit.problem.standardised import Rows, rows_of

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point with its certified gradient and information.

    Attributes
    ----------
    name, p
        What it is, and where, (K,) on the estimation scale; None: nominal.
    exact, fisher
        Certified.
    metric
        That of `gradaudit.problem.needed`.
    length
        Of the Newton step, in standard errors.
    counted, ignored
        Positions of the parameters whose standard errors are smaller than the distance of their
        bounds, and names of the others.
    weakest_column
        The least singular value of the rows with columns of length 1; 0 if they are dependent.
    near
        Whether it is near the optimum.
    """

    name: str
    p: Array | None
    exact: ReferenceGradient
    fisher: FisherInformation
    metric: Metric
    length: float
    counted: tuple[int, ...]
    ignored: tuple[str, ...]
    weakest_column: float
    near: bool = False

    @property
    def gradient(self) -> Array:
        """The certified one, (K,)."""
        return self.exact.gradient


def exactly(
    problem: Problem, name: str, p: ArrayLike | None, *, digits: float, time_limit: float
) -> Point:
    """The certified gradient and information at a point p (K,); None: nominal parameters.

    Raises
    ------
    ProblemError
        If there is none.
    """
    exact, found = reference_with_solves(problem, p, digits=digits, time_limit=time_limit)
    fisher = of_simulation(problem, found)
    if not (np.all(np.isfinite(exact.gradient)) and np.all(np.isfinite(fisher.rows))):
        raise ProblemError(f"at the point {name!r} there is no certified gradient: {exact.status}")
    width = widths(problem.parameters)
    metric = Metric.of(fisher.rows, width)
    counted = tuple(int(k) for k in np.flatnonzero(fisher.standard_errors < width))
    lengths = np.linalg.norm(fisher.rows, axis=0)
    scaled = fisher.rows / np.where(lengths > 0.0, lengths, 1.0)
    return Point(
        name=name,
        p=None if p is None else np.asarray(p, dtype=np.float64),
        exact=exact,
        fisher=fisher,
        metric=metric,
        length=metric.length(exact.gradient),
        counted=counted,
        ignored=tuple(n for k, n in enumerate(problem.parameters.names) if k not in counted),
        weakest_column=float(np.linalg.svd(scaled, compute_uv=False)[-1]),
    )


def effects(
    problem: Problem, point: Point, settings: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One row per setting, tolerances of a solver and method from loose to tight.

    ``gradient_error``, ``step_change``, ``standard_error_change`` and ``energy``, the length of the
    error of the gradient in standard errors, each with ``_doubt``, what the error of the reference
    may add; ``value_error`` of the log-likelihood. They are NaN where a solve failed.
    """
    values = problem.parameters.values(point.p)
    approximation = approximation_at(problem, tuple(values.tolist()))
    in_a_row: dict[tuple[str, str], int] = {}
    found = []
    for setting in settings:
        curve = str(setting["solver"]), str(setting["method"])
        row: dict[str, Any] = {"point": point.name, "near": point.near}
        row |= {"solver": curve[0], "method": curve[1]}
        row |= {"rtol": float(setting["rtol"]), "setting": dict(setting)}
        if in_a_row.get(curve, 0) >= GIVEN_UP:
            found.append(row | _nothing(NOT_RUN))
            continue
        solves = [approximation.solve(group, [setting])[0] for group in approximation.groups]
        gradient = approximation.total(point.p, setting, solves)
        lost = gradient.status == "max_steps"
        in_a_row[curve] = in_a_row.get(curve, 0) + 1 if lost else 0
        if gradient.status != "ok":
            found.append(row | _nothing(gradient.status))
            continue
        parts = [own.part for own in solves if own.part is not None]
        rows = Rows.of(
            [rows_of(approximation.preparation, q.group, q.solved) for q in parts],
            len(gradient.parameters),
        ).values
        cost = work(
            base_solver=curve[0],
            method=curve[1],
            steps=gradient.stats["steps"],
            parameters=len(gradient.parameters),
        )
        wrong = gradient.gradient - point.gradient
        found.append(
            row
            | {"status": "ok", "work": cost, "seconds": gradient.stats["seconds"]}
            | {"value_error": gradient.value - point.exact.value}
            | changes(point.metric, point.exact, wrong)
            | _standard_errors(point, rows)
        )
    return found


def _nothing(status: str) -> dict[str, Any]:
    numbers = ("gradient_error", "step_change", "standard_error_change", "energy")
    names = ["work", "seconds", "value_error", *numbers, *(f"{name}_doubt" for name in numbers)]
    return {"status": status, **dict.fromkeys(names, math.nan)}


def changes(metric: Metric, exact: ReferenceGradient, wrong: Array) -> dict[str, float]:
    """What an error (K,) of a gradient changes; the names are those of `effects`."""
    size, length = float(np.linalg.norm(exact.gradient)), metric.length(exact.gradient)
    doubt, own = metric.largest(exact.bounds), float(np.linalg.norm(exact.bounds))
    # the larger one of both measures of a step, for an error within the bounds
    shift = doubt / DONE if length < DONE else max(doubt / length, own / size)
    return {
        "gradient_error": float(np.linalg.norm(wrong)) / size if size > 0.0 else math.inf,
        "gradient_error_doubt": own / size if size > 0.0 else math.inf,
        "step_change": step_change(metric, exact.gradient, wrong),
        "step_change_doubt": shift,
        "energy": metric.length(wrong),
        "energy_doubt": doubt,
    }


def _standard_errors(point: Point, rows: Array) -> dict[str, float]:
    """The largest relative change of those that are counted, 0 where none is."""
    counted = list(point.counted)
    if not counted:
        return {"standard_error_change": 0.0, "standard_error_change_doubt": 0.0}
    own = information(rows, np.zeros(rows.shape), point.exact.parameters, source="given")
    true, bars = point.fisher.standard_errors, point.fisher.standard_error_bars
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.abs(own.standard_errors / true - 1.0)[counted]
        doubt = ((bars[:, 1] - bars[:, 0]) / true)[counted]
    return {
        "standard_error_change": float(np.max(np.where(np.isnan(change), math.inf, change))),
        "standard_error_change_doubt": float(np.max(doubt)),
    }
