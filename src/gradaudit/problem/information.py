"""The Fisher information of a problem, certified or by a solver and a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.errors import SettingError, first_few
from gradaudit.evaluation.information import OK, ROUNDING, SAFETY, FisherInformation, information
from gradaudit.problem.approximate import ApproximatePart
from gradaudit.problem.definition import Problem
from gradaudit.problem.gradient import Solve, approximation_at
from gradaudit.problem.preparing import Preparation
from gradaudit.problem.simulation import Simulation, simulate
from gradaudit.problem.solver_choice import with_solver
from gradaudit.problem.standardised import Kind, Rows, rows_of

Array = NDArray[np.float64]

SATURATED = 0.1
"""An estimated relative error of a column from which on it may be any amount too small."""


def certified_information(
    problem: Problem,
    p: ArrayLike | None = None,
    *,
    kind: Kind = "fisher",
    fixed: Sequence[str] = (),
    digits: float = 12.0,
    time_limit: float = 600.0,
) -> FisherInformation:
    """By certified states and sensitivities, whose bounds are the bars' origin.

    Parameters and errors are those of `gradaudit.fisher_information`.
    """
    found = simulate(problem, p, derivatives=True, digits=digits, time_limit=time_limit)
    return of_simulation(problem, found, kind=kind, fixed=fixed)


def of_simulation(
    problem: Problem, found: Simulation, *, kind: Kind = "fisher", fixed: Sequence[str] = ()
) -> FisherInformation:
    """The information of certified solves."""
    names = problem.parameters.names
    parts = [rows_of(found.preparation, own.group, own.solved, kind) for own in found.parts]
    rows = Rows.of(parts, len(names))
    kept = kept_of(names, fixed)
    return information(
        rows.values[:, kept],
        rows.bounds[:, kept],
        [names[k] for k in kept],
        source="certified",
        reason=_doubt(rows),
    )


def approximate_information(
    problem: Problem,
    p: ArrayLike | None = None,
    *,
    kind: Kind = "fisher",
    fixed: Sequence[str] = (),
    **setting: Any,
) -> FisherInformation:
    """By a solver and a method; the setting is that of `Problem.gradient`.

    The errors are estimated: the distance to solves that take two steps of half the length for
    each one, times `SAFETY`. Steady states are certified ones, whose errors are below that.
    """
    values = problem.parameters.values(p)
    approximation = approximation_at(problem, tuple(values.tolist()))
    setting, _ = with_solver(problem, {"estimate": True, **setting})
    solves = [approximation.solve(group, [setting])[0] for group in approximation.groups]
    return of_solves(
        problem, approximation.preparation, solves, kind=kind, fixed=fixed, setting=setting
    )


def of_solves(
    problem: Problem,
    preparation: Preparation,
    solves: Sequence[Solve],
    *,
    kind: Kind = "fisher",
    fixed: Sequence[str] = (),
    setting: Mapping[str, Any],
) -> FisherInformation:
    """The information of solves by a setting, with bars where these have estimates."""
    names = problem.parameters.names
    kept = kept_of(names, fixed)
    own = [names[k] for k in kept]
    status = next((s.status for s in solves if s.status not in (OK, "kink")), OK)
    parts = [s.part for s in solves if s.part is not None]
    if status != OK or len(parts) < len(solves):
        empty = np.full((1, len(own)), np.nan)
        return information(empty, empty, own, source="estimated", reason=f"the solve: {status}")
    if any(part.chunked for part in parts):
        raise SettingError(
            f"the method {setting.get('method')!r} propagates the parameters in chunks, each with "
            "states of its own, so that there is no one Jacobian; take another method."
        )
    rows = Rows.of([rows_of(preparation, q.group, q.solved, kind) for q in parts], len(names))
    moved = Rows.of([_moved(preparation, q, kind) for q in parts], len(names))
    reason = _doubt(rows)
    if moved.values.shape != rows.values.shape:
        errors, reason = np.full(rows.values.shape, np.inf), reason or "no error was estimated"
    else:
        errors = np.abs(moved.values - rows.values)
        errors = SAFETY * np.where(np.isnan(errors), np.inf, errors)
        errors = errors + ROUNDING * np.abs(rows.values)
        reason = reason or saturated(rows.values, errors, names)
    if not setting.get("estimate"):
        reason = "no error was estimated"
    return information(
        rows.values[:, kept], errors[:, kept], own, source="estimated", reason=reason
    )


def _moved(preparation: Preparation, part: ApproximatePart, kind: Kind) -> Rows:
    """Rows of the perturbed solve; of the solve itself where nothing was integrated."""
    return rows_of(preparation, part.group, part.moved or part.solved, kind)


def saturated(rows: Array, errors: Array, names: Sequence[str]) -> str:
    """Why an estimate is not to be relied on, "" where it is.

    Parameters
    ----------
    rows, errors
        (N, K), the latter with `SAFETY`.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.linalg.norm(errors, axis=0) / np.linalg.norm(rows, axis=0) / SAFETY
    worst = int(np.argmax(np.where(np.isnan(share), 0.0, share))) if len(share) else -1
    if worst < 0 or not share[worst] > SATURATED:
        return ""
    return (
        f"the estimated error of the derivatives by {names[worst]} is {share[worst]:.1e} of them, "
        f"and from {SATURATED} on the true one may be any amount larger; tighten the tolerance"
    )


def kept_of(names: Sequence[str], fixed: Sequence[str]) -> list[int]:
    """The positions of the parameters that are not fixed.

    Raises
    ------
    SettingError
        If one of them is no parameter, or none is left.
    """
    for name in fixed:
        if name not in names:
            known = first_few(names, quoted=False)
            raise SettingError(f"fixed has {name!r}, which is none of {known}.")
    kept = [k for k, name in enumerate(names) if name not in fixed]
    if not kept:
        raise SettingError("fixed has all of the parameters; leave at least one out of it.")
    return kept


def _doubt(rows: Rows) -> str:
    if not rows.doubtful:
        return ""
    return (
        f"measurement {rows.doubtful[0] + 1} has no positive noise, or its formula has a kink or a "
        "jump there, so that the derivative does not exist"
    )
