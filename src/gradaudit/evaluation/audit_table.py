"""The audit table of a model: errors, attribution and verdict of every gradient."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from gradaudit.evaluation.functionals import (
    AnyFunctional,
    Context,
    EventFunctional,
    EventTable,
    Functional,
    all_functionals,
    to_own_traces,
)
from gradaudit.evaluation.gradient_error import (
    GradientError,
    Observations,
    estimated_change,
    estimated_event_change,
    event_error,
    gradient_error,
    state_error,
)
from gradaudit.evaluation.indicator_columns import (
    looser_of,
    of_estimate,
    of_solve,
    with_comparisons,
)
from gradaudit.evaluation.stored_solves import Cell, Solves, certified_of, solves_of
from gradaudit.evaluation.verdict import Thresholds, judge_ladder, reason_for, verdict_of
from gradaudit.evaluation.work import work

SCALARS = ("indicator", "steps", "accepted", "rejected", "seconds", "compile_seconds")


LADDER = ["solver", "method", "functional"]


RESOLVED = 10.0  # times the reference's own error: below it an error is not the solver's


@dataclass(frozen=True, kw_only=True)
class CertifiedSolution:
    """What the solves of a model are compared with."""

    observations: Observations
    occurrences: EventTable | None
    digits: float
    context: Context
    functionals: Sequence[AnyFunctional]


def evaluate(
    reference: xr.Dataset, gradients: list[xr.Dataset], settings: dict[str, Any]
) -> pd.DataFrame:
    """The table of `run` from datasets; docs/architecture.md describes its columns."""
    model = json.loads(reference.attrs["model_json"])
    scale, names = np.array(model["parameter_scale"]), model.get("events", [])
    solves = [solves_of(dataset, scale, names) for dataset in gradients]
    truth = _truth(reference, model, solves, settings["functionals"])
    thresholds = Thresholds.from_settings(settings["verdict"])
    facts = {
        "model": model["key"],
        "mechanism": model["mechanism"],
        "regime": model["regime"],
        "reference_digits": float(reference.attrs["digits"]),
    }
    rows = [facts | row for each in solves for row in _rows(each, truth, thresholds)]
    return _with_verdicts(with_comparisons(pd.DataFrame(rows)), thresholds)


def _truth(
    reference: xr.Dataset,
    model: dict[str, Any],
    solves: Sequence[Solves],
    settings: dict[str, Any],
) -> CertifiedSolution:
    names = model.get("events", [])
    observations, occurrences = certified_of(reference, np.array(model["parameter_scale"]), names)
    context = Context(
        times=reference["time"].values,
        observations=observations.z[0],
        states=tuple(model["states"]),
        integrals=tuple(model["integrals"]),
        observables=tuple(model["observables"]),
        settings=settings,
        sensitivities=observations.sensitivities,
        occurrences=occurrences,
        common=() if occurrences is None else _common(occurrences, solves),
    )
    digits = (reference.attrs["digits"], reference.attrs.get("integral_digits", math.inf))
    return CertifiedSolution(
        observations=observations,
        occurrences=occurrences,
        digits=min(float(number) for number in digits),
        context=context,
        functionals=all_functionals(context),
    )


def _common(certified: EventTable, solves: Sequence[Solves]) -> tuple[int, ...]:
    """Of each event, how many occurrences half of the tolerance series have at their tight end.

    The last of them is one that a solve can be expected to have: it may record fewer events
    than happen. At least one, if the reference has one.
    """
    counts = []
    for each in solves:
        for method in dict.fromkeys(cell.method for cell in each.cells):
            tight = [c for c in each.of(method) if c.ok and c.occurrences is not None]
            if tight and tight[-1].occurrences is not None:
                counts.append(tight[-1].occurrences.counts())
    exact = certified.counts()
    if not counts:
        return tuple(int(count) for count in exact)
    reached = -np.sort(-np.array(counts), axis=0)[(len(counts) - 1) // 2]
    return tuple(int(c) for c in np.minimum(exact, np.maximum(reached, 1)))


def _rows(
    solves: Solves, truth: CertifiedSolution, thresholds: Thresholds
) -> Iterator[dict[str, Any]]:
    epsilon = np.finfo(solves.dtype).eps / np.finfo(np.float64).eps
    exact = truth.observations.z[0]
    size = np.max(np.abs(exact), axis=0)
    size = np.where(size > 0, size, 1.0)
    for cell in solves.cells:
        shared = {
            "solver": solves.solver,
            "base_solver": solves.base_solver,
            "variant": solves.variant,
            "method": cell.method,
            "rtol": cell.rtol,
            "atol": float(cell.data["atol"]),
            "status": cell.status,
            "state_error": state_error(cell.observations.z[0], exact),
            **{name: float(cell.data[name]) for name in SCALARS},
            "work": work(
                base_solver=solves.base_solver,
                method=cell.method,
                steps=float(cell.data["steps"]),
                parameters=truth.observations.sensitivities.shape[-1],
            ),
            **of_solve(cell, looser_of(cell, solves.of(cell.method)), size),
        }
        for functional in (*truth.functionals, *_to_solver_targets(cell, solves, truth)):
            if isinstance(functional, Functional):
                error = gradient_error(functional, cell.observations, truth.observations)
                values = _values(functional, cell, truth)
                if cell.estimates is not None:
                    values |= of_estimate(
                        *estimated_change(functional, cell.observations, cell.estimates)
                    )
                if solves.observe == "interpolant" and not _at_grid_points(functional):
                    values["observation_part"] = math.nan
            elif cell.occurrences is None or truth.occurrences is None:
                continue
            else:
                error = event_error(functional, cell.occurrences, truth.occurrences, solved=cell.ok)
                values = _event_values(functional, cell, cell.occurrences, truth.occurrences)
                if cell.perturbed is not None and np.all(np.isfinite(error.gradient)):
                    values |= of_estimate(
                        *estimated_event_change(functional, cell.occurrences, cell.perturbed)
                    )
            own = thresholds.floor * epsilon
            yield shared | _describe(functional, error, thresholds, own, truth.digits, values)


def _to_solver_targets(cell: Cell, solves: Solves, truth: CertifiedSolution) -> list[Functional]:
    """Those whose target the solver made, without tangents or else with this method."""
    n = len(truth.context.states)
    ladders = [*solves.nominal, *solves.of(cell.method)]
    same = [c for c in ladders if c.rtol == cell.rtol and c.ok] or [cell]
    coarse = [c for c in ladders if c.ok] or [cell]
    return to_own_traces(truth.context, *(c[0].observations.z[0][:, :n] for c in (same, coarse)))


def _at_grid_points(functional: Functional) -> bool:
    """Whether only the end of the window counts, which is always the end of a step."""
    return not np.any(functional.natural_weights[:-1])


def _values(functional: Functional, cell: Cell, truth: CertifiedSolution) -> dict[str, Any]:
    exact = truth.observations.z[0] if functional.truth is None else functional.truth
    return {
        "value": functional.value(cell.observations.z[0]),
        "reference_value": functional.value(exact),
        "event_status": "",
    }


def _event_values(
    functional: EventFunctional, cell: Cell, computed: EventTable, certified: EventTable
) -> dict[str, Any]:
    number = certified.names.index(functional.event)
    count, exact = int(computed.counts()[number]), int(certified.counts()[number])
    counting = functional.piecewise_constant
    if not cell.ok:
        word = "no_solve"
    elif count < functional.needed:
        word = "missed_event"
    elif cell.truncated and count < exact:
        word = "too_many_events"
    else:
        word = "ok" if count == exact else "another_count"
    lacking = count < functional.needed or (counting and word in ("no_solve", "too_many_events"))
    return {
        "value": math.nan if lacking else functional.value(computed),
        "reference_value": functional.value(certified),
        "event_status": word,
    }


def _describe(
    functional: AnyFunctional,
    error: GradientError,
    thresholds: Thresholds,
    floor: float,
    digits: float,
    values: dict[str, Any],
) -> dict[str, Any]:
    zero = error.is_zero(thresholds.cancellation)
    counts = error.normalised if zero else error.relative
    size = float(np.linalg.norm(error.reference))
    unit = error.natural_scale if zero else size
    own = 10.0**-digits * (1.0 if zero else error.natural_scale / size)
    floor = max(floor, RESOLVED * own)
    parts = {
        name: _over(float(np.linalg.norm(part)), unit)
        for name, part in (
            ("state", error.state_part),
            ("tangent", error.tangent_part),
            ("observation", error.observation_part),
        )
    }
    parts["observation"] = values.pop("observation_part", parts["observation"])
    return {
        "functional": functional.name,
        "kind": functional.kind,
        "relative_error": error.relative,
        "normalised_error": error.normalised,
        "error": counts,
        "error_floor": floor,
        "digits": -math.log10(max(counts, 1e-17)) if math.isfinite(counts) else math.nan,
        "cosine": math.nan if zero else error.cosine,
        "gradient_norm": float(np.linalg.norm(error.gradient)),
        "reference_norm": size,
        "natural_scale": error.natural_scale,
        "computed_scale": error.computed_scale,
        **{f"{name}_part": part for name, part in parts.items()},
        "dominant": _dominant(parts, counts, floor),
        "attribution_residual": error.residual,
        "piecewise_constant": getattr(functional, "piecewise_constant", False),
        **values,
        "gradient": error.gradient.tolist(),
        "reference_gradient": error.reference.tolist(),
    }


def _over(part: float, unit: float) -> float:
    if unit > 0.0:
        return part / unit
    return 0.0 if part == 0.0 else math.inf


def _dominant(parts: dict[str, float], error: float, floor: float) -> str:
    if not math.isfinite(error):
        return ""
    known = {name: part for name, part in parts.items() if math.isfinite(part)}
    return "rounding" if error <= floor else max(known, key=lambda name: known[name])


def _with_verdicts(table: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    judged = []
    for _, ladder in table.groupby(LADDER, sort=False):
        ladder = ladder.sort_values("rtol", ascending=False)
        if ladder["piecewise_constant"].any():
            judged.append(_without_derivative(ladder))
            continue
        errors, cosines = ladder["error"].tolist(), ladder["cosine"].tolist()
        result, verdicts = judge_ladder(
            ladder["rtol"].tolist(),
            errors,
            cosines,
            thresholds,
            ladder["error_floor"].tolist(),
            lacking=bool((ladder["neglected"] > thresholds.good).any()),
        )
        reasons = [
            reason_for(error, cosine, result.trend, thresholds)
            for error, cosine in zip(errors, cosines, strict=True)
        ]
        judged.append(
            ladder.assign(
                order=result.order,
                trend=result.trend,
                converging=result.converging,
                sufficient_rtol=result.sufficient,
                spikes=result.spikes,
                verdict=verdicts,
                reason=reasons,
                ladder_verdict=result.verdict,
            )
        )
    return pd.concat(judged, ignore_index=True)


def _without_derivative(ladder: pd.DataFrame) -> pd.DataFrame:
    """A gradient that is 0, as it should be, and says nothing of a functional that jumps."""
    reason = "no_derivative"
    return ladder.assign(
        order=math.nan,
        trend="stuck",
        converging=False,
        sufficient_rtol=math.nan,
        spikes=0,
        verdict=verdict_of(reason),
        reason=reason,
        ladder_verdict=verdict_of(reason),
    )
