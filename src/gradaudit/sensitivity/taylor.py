"""The variational Taylor method in double precision, as a production method at one tolerance."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import ArrayLike

from gradaudit.backend.program_cache import identity_cache, programs_of
from gradaudit.certification.heyoka.precision import DOUBLE
from gradaudit.certification.heyoka.rounding import in_float64
from gradaudit.certification.hybrid_solve import build_system, solve_system
from gradaudit.certification.hybrid_system import Hybrid
from gradaudit.certification.variational import Options, Variational
from gradaudit.errors import SettingError
from gradaudit.model.definition import Model
from gradaudit.records.results import Sensitivities

_ONE_AT_A_TIME = threading.Lock()  # a compiled integrator holds the state of its solve


@identity_cache
def _with_events(model: Model, tolerance: float) -> Variational | Hybrid:
    return build_system(model, precision=DOUBLE, tolerance=tolerance)


def _system(model: Model, tolerance: float) -> Variational | Hybrid:
    """The compiled integrator: building it takes longer than many a solve.

    Without events it serves all values of the parameters, as in a fit.
    """
    if model.events:
        return _with_events(model, tolerance)
    functions = model.initial_state, *model.integrands.items()
    key = "taylor", tolerance, functions, model.n, model.m
    kept = programs_of(model.vector_field, key)
    kept["last"] = (
        kept["last"].with_numbers(model)
        if "last" in kept
        else build_system(model, precision=DOUBLE, tolerance=tolerance)
    )
    return kept["last"]


def taylor_sensitivities(
    model: Model,
    tolerance: float,
    times: ArrayLike | None = None,
    *,
    time_limit: float | None = None,
) -> Sensitivities:
    """States and sensitivities by heyoka in double precision.

    Parameters
    ----------
    tolerance
        heyoka's, relative to the largest entry of states and sensitivities together.
    time_limit
        Seconds of the solve.

    Raises
    ------
    TranslationError
        If the vector field has something that the Taylor method cannot follow.
    SettingError
        If the tolerance is invalid.
    """
    if not 0.0 < tolerance < 1.0:
        raise SettingError(f"tolerance is {tolerance!r}; it must lie between 0 and 1.")
    observed = model.times(times)
    with _ONE_AT_A_TIME:
        solution = solve_system(_system(model, tolerance), observed, Options(time_limit=time_limit))
    values, derivatives = solution.float64()
    if solution.status != "ok":
        values, derivatives = np.full_like(values, np.nan), np.full_like(derivatives, np.nan)
    n = model.n
    return Sensitivities(
        times=observed,
        states=values[:, :n],
        sensitivities=derivatives[:, :n],
        integrals=values[:, n:],
        integral_sensitivities=derivatives[:, n:],
        indicator=float("nan"),
        status=solution.status,
        events=tuple(in_float64(record) for record in solution.event_records),
        stats={
            "steps": float(solution.steps),
            "accepted": float(solution.steps),
            "rejected": 0.0,
            "seconds": solution.run_seconds,
            "build_seconds": solution.build_seconds,
        },
    )
