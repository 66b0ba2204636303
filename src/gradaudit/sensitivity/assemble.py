"""From raw solves to sensitivities: columns put together, scales undone, failures as NaN."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names
from gradaudit.records.results import Array, Estimates, EventRecord, Sensitivities
from gradaudit.sensitivity.request import Request
from gradaudit.sensitivity.solve_status import Raw, status_of

COUNTS = ("steps", "accepted", "rejected")


def failed(request: Request, status: str) -> Sensitivities:
    """The result of a method that gives none: NaN, no steps, and a status that says why."""
    model, times = request.model, request.times
    k = len(integrand_names(model))

    def nan(*shape: int) -> Array:
        return np.full((len(times), *shape), np.nan)

    return Sensitivities(
        times=times,
        states=nan(model.n),
        sensitivities=nan(model.n, model.m),
        integrals=nan(k),
        integral_sensitivities=nan(k, model.m),
        indicator=float("nan"),
        status=status,
        stats={**dict.fromkeys(COUNTS, 0.0), "seconds": 0.0, "compile_seconds": 0.0},
    )


def whole(request: Request, raw: Raw, seconds: float, compile_seconds: float) -> Sensitivities:
    """The result of one solve for all parameters."""
    columns = [np.arange(request.model.m)]
    return assemble(request.model, request.times, [raw], columns, seconds, compile_seconds)


def smooth(request: Request, run: Callable[[Request], tuple[Raw, float, float]]) -> Sensitivities:
    """What `run` gives; the status "has_jumps" where the state jumps."""
    if request.model.jumps:
        return failed(request, "has_jumps")
    return whole(request, *run(request))


def assemble(
    model: Model,
    times: Array,
    raws: list[Raw],
    chunks: list[np.ndarray],
    seconds: float,
    compile_seconds: float,
) -> Sensitivities:
    """One result from the solves of all chunks; a failed one leaves NaN everywhere."""
    n, m = model.n, model.m
    statuses = [status_of(raw) for raw in raws]
    status = next((s for s in statuses if s != "ok"), "ok")
    all_tangents = np.full((len(times), raws[0].states.shape[1], m), np.nan)
    chunk_of = np.zeros(m, dtype=np.int64)
    for index, (raw, columns) in enumerate(zip(raws, chunks, strict=True)):
        all_tangents[:, :, columns] = raw.tangents / model.parameter_scale[columns]
        chunk_of[columns] = index
    states = np.stack([raw.states for raw in raws])
    if status != "ok":
        all_tangents[:], states = np.nan, np.full_like(states, np.nan)
    several = len(raws) > 1
    return Sensitivities(
        times=times,
        states=states[0, :, :n],
        sensitivities=all_tangents[:, :n],
        integrals=states[0, :, n:],
        integral_sensitivities=all_tangents[:, n:],
        indicator=max(float(raw.indicator) for raw in raws),
        status=status,
        stats={
            **{name: float(sum(int(getattr(raw, name)) for raw in raws)) for name in COUNTS},
            "seconds": seconds,
            "compile_seconds": compile_seconds,
        },
        chunk_states=states[:, :, :n] if several else None,
        chunk_integrals=states[:, :, n:] if several else None,
        chunk_of=chunk_of if several else None,
        indicators=_indicators(raws, model),
        one_sided=_one_sided(raws, chunks, model),
        events=() if several else _unscaled(raws[0].event_records, model),
        estimates=None if several else _estimates(raws[0], model),
    )


def _one_sided(raws: list[Raw], chunks: list[np.ndarray], model: Model) -> tuple[str, ...]:
    """Names of the parameters whose derivatives at an observation are one-sided."""
    names = list(model.parameters)
    return tuple(
        names[column]
        for raw, columns in zip(raws, chunks, strict=True)
        for column, marked in zip(columns, np.atleast_1d(raw.one_sided), strict=False)
        if marked
    )


def _indicators(raws: list[Raw], model: Model) -> dict[str, float]:
    """What the steps showed of discontinuities and faint states, the worst of all chunks."""
    seen = [raw.crossed for raw in raws if raw.crossed]
    if not seen:
        return {}
    faint = [float(raw.faint.emerged) for raw in raws if raw.faint]
    return {
        "faint": max(faint, default=0.0),
        "neglected": max(float(crossed.neglected) for crossed in seen),
        "crossing_slope": max(float(crossed.slope) for crossed in seen) / model.t_end,
    }


def _estimates(raw: Raw, model: Model) -> Estimates | None:
    """Estimated errors by the parameters themselves; infinite where it was lost."""
    if not raw.estimates:
        return None
    states, tangents = (np.where(np.isnan(x), np.inf, x) for x in raw.estimates)
    if tangents.shape != raw.tangents.shape:  # along one direction
        return Estimates(states, tangents)
    return Estimates(states, tangents / model.parameter_scale, _unscaled(raw.perturbed, model))


def _unscaled(event_records: tuple[EventRecord, ...], model: Model) -> tuple[EventRecord, ...]:
    """Events with derivatives by the parameters themselves."""
    scale = model.parameter_scale
    return tuple(
        h._replace(slope=h.slope / scale, tangents=h.tangents / scale) for h in event_records
    )
