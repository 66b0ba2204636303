"""`sensitivities`: every method behind one call.

A method is one file in `gradaudit.sensitivity.methods`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from numpy.typing import ArrayLike

from gradaudit.errors import SettingError, forward_mode_by_name
from gradaudit.model.definition import Model
from gradaudit.model.loading import load_model
from gradaudit.records.results import Sensitivities
from gradaudit.sensitivity.method import Method
from gradaudit.sensitivity.methods import get_method, methods
from gradaudit.sensitivity.request import (
    Request,
    check_options,
    no_solver_of_its_own,
    tolerance,
)
from gradaudit.sensitivity.result_warnings import told
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
        result = told(model, chosen, chosen.solve(request), rtol, atol)
    own = chosen.name if chosen.own_solver else solver
    return replace(result, solver=own, solver_why=why)


METHODS: Mapping[str, Method] = methods()
"""Every method by name: what the catalogue of methods has."""
