"""`sensitivities`: every method behind one call.

A method is one file in `gradaudit.sensitivity.methods`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gradaudit.errors import ModelWarning, SettingError, first_few, forward_mode_by_name
from gradaudit.model.definition import Model
from gradaudit.model.derivative_check import along_the_solution
from gradaudit.model.loading import load_model
from gradaudit.model.one_sided import one_sided
from gradaudit.model.quadratures import initial_state
from gradaudit.records.results import Sensitivities
from gradaudit.sensitivity.hybrid_types import EVENT_COOLDOWN
from gradaudit.sensitivity.method import Method
from gradaudit.sensitivity.methods import get_method, methods
from gradaudit.sensitivity.request import (
    Request,
    check_options,
    no_solver_of_its_own,
    tolerance,
)
from gradaudit.sensitivity.solver_choice import suitable_solver
from gradaudit.solvers.options import (
    MAX_STEPS,
    OBSERVE,
    PID,
    Estimate,
    Observe,
    Precision,
    SolveOptions,
)
from gradaudit.solvers.registry import AUTO, get_solver


def sensitivities(
    model: Model | str | Path,
    *,
    solver: str = "tsit5",
    rtol: float = 1e-6,
    atol: float | None = None,
    method: str = "forward_ad",
    times: ArrayLike | None = None,
    observe: Observe = "step",
    max_steps: int = MAX_STEPS,
    steps: int | None = None,
    dtmax: float | None = None,
    pid: tuple[float, float, float] = PID,
    root_tolerance: float = 1.0,
    dtype: Precision = "float64",
    fd_step: float | None = None,
    estimate: Estimate = False,
) -> Sensitivities:
    """States y (T, n) and sensitivities dy/dp (T, n, m) by one method, with its indicator.

    Parameters
    ----------
    model
        A model, the name of one of the library, or the path of a file.
    solver, method
        Names from `gradaudit.solvers.registry.SOLVERS` and `METHODS`. The solver "auto" is "tsit5",
        or "rodas5p" where a rough solve, which passes over events, shows that the model is stiff;
        ``.solver`` and ``.solver_why`` of the result say which one and why.
    rtol, atol
        Tolerances of the step controller; `atol` is 1e-3 rtol by default.
    times
        Observation times; by default the model's own.
    observe
        How an observation time is reached: "step" (a step of the method from the grid point
        before it), "clip" (steps end there), "interpolant" (dense output, as `SaveAt(ts)` does).
    max_steps
        A solve that needs more ends with the status "max_steps".
    steps
        That many equal steps in place of error control; `rtol` and `atol` are then the tolerances
        of an implicit solver's root finder and nothing else.
    dtmax
        The longest step, in units of t; by default there is no limit. A solver that takes ever
        longer steps where nothing happens may leap over a short stimulus, and an implicit one whose
        equations then have no solution is rejected again and again.
    pid
        Proportional, integral and derivative coefficient of diffrax's step controller.
    root_tolerance
        Tolerances of an implicit solver's root finder, over `rtol` and `atol`.
    dtype
        "float64", or "float32" for a solve that is in single precision throughout, time and the
        constants of the vector field included. What is returned is float64 in any case.
    fd_step
        Step of "finite_difference" over ``|p_j|``, central; by default the cube root of epsilon.
    estimate
        Carry an estimate of the global errors of states and sensitivities along; it comes back as
        ``.estimates``. "probe": that of the sensitivities p_j dy/dp_j along one direction only
        (`gradaudit.model.probe_direction`), (T, N, 1), which is cheaper; not for models whose state
        jumps.

    Raises
    ------
    ModelError, SettingError
        For a model or a setting that is invalid. A solve that fails does not raise: its arrays
        are NaN and its `status` says what happened.
    """
    model = load_model(model)
    why, chosen = "", get_method(method)
    if solver == AUTO:
        no_solver_of_its_own(chosen)
        with forward_mode_by_name(f"model {model.name!r}: the vector field"):
            solver, why, *_ = suitable_solver(model)
    get_solver(solver)
    rtol = tolerance("rtol", rtol, below=1.0)
    atol = 1e-3 * rtol if atol is None else tolerance("atol", atol, below=math.inf)
    if observe not in OBSERVE:
        raise SettingError(f"unknown observe {observe!r}; choose from {', '.join(OBSERVE)}.")
    request = Request(
        model=model,
        times=model.times(times),
        options=SolveOptions(
            solver=solver,
            rtol=rtol,
            atol=atol,
            observe=observe,
            max_steps=max_steps,
            steps=steps,
            pid=pid,
            dtmax=dtmax,
            root_tolerance=root_tolerance,
            dtype=dtype,
            estimate=estimate,
        ),
        fd_step=fd_step,
    )
    check_options(request, chosen)
    with forward_mode_by_name(f"model {model.name!r}, method {method!r}: the vector field"):
        result = _with_one_sided(model, chosen.solve(request), rtol, atol)
    own = chosen.name if chosen.own_solver else solver
    return replace(result, solver=own, solver_why=why)


UNSOLVED = ("non_finite", "step_underflow", "root_not_found", "max_steps", "failed")
"""Statuses of a solve that a derivative which is not finite may have stopped."""


def _with_one_sided(model: Model, result: Sensitivities, rtol: float, atol: float) -> Sensitivities:
    """The result with what it says of derivatives that exist from one side only, and a warning."""
    if result.status != "ok":
        sentence = along_the_solution(model) if result.status in UNSOLVED else ""
        if sentence:
            text = f"model {model.name!r}: {result.status}: {sentence}"
            warnings.warn(text, ModelWarning, stacklevel=3)
        return result
    _warn_of_faint_states(model, result, rtol, atol)
    values = np.concatenate([result.states, result.integrals], axis=1)
    slopes = np.concatenate([result.sensitivities, result.integral_sensitivities], axis=1)
    marked = np.isin(list(model.parameters), result.one_sided)
    for note in one_sided(model, result.times, values, slopes, near=10.0 * EVENT_COOLDOWN):
        marked |= note.columns
    names = tuple(name for name, mark in zip(model.parameters, marked, strict=True) if mark)
    if not names:
        return result
    warnings.warn(
        f"model {model.name!r}: derivatives with respect to {first_few(names)} are "
        "one-sided: an event or a switch that they move lies at an observation or at an end of the "
        "window, or the solution is put onto a threshold, off which they move it. The method gives "
        "one of the two or neither; move the observation, or the value of the parameter, to have a "
        "derivative.",
        ModelWarning,
        stacklevel=3,
    )
    return replace(result, one_sided=names)


def _warn_of_faint_states(model: Model, result: Sensitivities, rtol: float, atol: float) -> None:
    if result.indicators.get("faint", 0.0) <= UNRESOLVED:
        return
    sizes = np.abs(np.asarray(initial_state(model, model.nominal)))
    small = (sizes > 0.0) & (sizes < atol / rtol)
    begins = [name for name, faint in zip(model.states, small, strict=True) if faint]
    lower = 1e-3 * rtol * (float(np.min(sizes[small])) if begins else 1e-3 * atol / rtol)
    which = f"{first_few(begins)} from the start" if begins else "some of the time"
    warnings.warn(
        f"model {model.name!r}: states are smaller than atol / rtol = {atol / rtol:.0e} ({which}) "
        "and grow from there. Steps then follow atol, and the relative error of these states grows "
        f"with them. Lower atol to about {lower:.0e} (in a configuration: atol_factor).",
        ModelWarning,
        stacklevel=4,
    )


UNRESOLVED = 1e-4
"""Embedded error of a step over the faint states that grow in it; see `solvers.faint_states`."""

METHODS: Mapping[str, Method] = methods()
"""Every method by name: what the catalogue of methods has."""
