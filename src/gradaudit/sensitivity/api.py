"""`sensitivities`: every method behind one call.

To add a method, add a function of a `Setting` and a line to `METHODS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from numpy.typing import ArrayLike

from gradaudit.errors import SettingError, TranslationError, extras_by_name
from gradaudit.model.analyticity import obstacle
from gradaudit.model.definition import Model
from gradaudit.model.loading import load_model
from gradaudit.records.results import Sensitivities
from gradaudit.sensitivity.assemble import _failed, _refused, _whole
from gradaudit.sensitivity.methods.adjoint import backsolve_adjoint, discrete_adjoint
from gradaudit.sensitivity.methods.external.dispatch import witness
from gradaudit.sensitivity.methods.forward import (
    _dual_norm,
    _forward_ad,
    _forward_sensitivity,
    _forward_sensitivity_partial,
    _saltation,
)
from gradaudit.sensitivity.methods.perturbation import complex_step, finite_difference
from gradaudit.sensitivity.request import Setting, check_axes, tolerance
from gradaudit.sensitivity.solve_status import MAX_STEPS, OBSERVE, Raw
from gradaudit.solvers.error_norm import PID
from gradaudit.solvers.registry import get_solver


def sensitivities(
    model: Model | str | Path,
    *,
    solver: str = "tsit5",
    rtol: float = 1e-6,
    atol: float | None = None,
    method: str = "forward_ad",
    times: ArrayLike | None = None,
    observe: str = "step",
    max_steps: int = MAX_STEPS,
    steps: int | None = None,
    pid: tuple[float, float, float] = PID,
    root_tolerance: float = 1.0,
    dtype: str = "float64",
    fd_step: float | None = None,
    estimate: bool | str = False,
) -> Sensitivities:
    """States y (T, n) and sensitivities dy/dp (T, n, m) by one method, with its indicator.

    Parameters
    ----------
    model
        A model, the name of one of the library, or the path of a file.
    solver, method
        Names from `gradaudit.solvers.registry.SOLVERS` and `METHODS`.
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
    pid
        Proportional, integral and derivative coefficient of diffrax's step controller.
    root_tolerance
        Tolerances of an implicit solver's root finder, over `rtol` and `atol`.
    dtype
        "float64", or "float32" for a solve that is in single precision throughout, time and the
        constants of the vector field included. What is returned is float64 in any case.
    fd_step
        Step of "finite_difference" over |p_j|, central; by default the cube root of epsilon.
    estimate
        Carry an estimate of the global errors of states and sensitivities along; it comes back as
        ``.estimates``. "probe": that of the sensitivities p_j dy/dp_j along one direction only
        (`gradaudit.model.probe_direction`), (T, N, 1), which is cheaper; not for models whose state
        jumps.

    Raises
    ------
    ModelError, SettingError
        For a model or a setting that makes no sense. A solve that fails does not raise: its arrays
        are NaN and its `status` says what happened.
    """
    model = load_model(model)
    get_solver(solver)
    rtol = tolerance("rtol", rtol, below=1.0)
    atol = 1e-3 * rtol if atol is None else tolerance("atol", atol, below=math.inf)
    if observe not in OBSERVE:
        raise SettingError(f"unknown observe {observe!r}; choose from {', '.join(OBSERVE)}.")
    if method not in METHODS:
        raise SettingError(f"unknown method {method!r}; the methods are {', '.join(METHODS)}.")
    setting = Setting(
        model=model,
        solver=solver,
        rtol=rtol,
        atol=atol,
        times=model.times(times),
        observe=observe,
        max_steps=max_steps,
        steps=steps,
        pid=pid,
        root_tolerance=root_tolerance,
        dtype=dtype,
        fd_step=fd_step,
        estimate=estimate,
    )
    check_axes(setting, method)
    return METHODS[method](setting)


def _taylor(setting: Setting) -> Sensitivities:
    """The variational Taylor method in double precision at tolerance rtol; `solver` is not used."""
    with extras_by_name("method 'taylor'"):
        from gradaudit.sensitivity.methods.taylor import taylor_sensitivities

    try:
        return taylor_sensitivities(setting.model, setting.rtol, setting.times)
    except TranslationError:
        return _failed(setting, "not_translatable")


def _finite_difference(setting: Setting) -> Sensitivities:
    """Central differences of the adaptive solve, which differentiate the step control as well."""
    return _whole(setting, *finite_difference(setting))


def _complex_step(setting: Setting) -> Sensitivities:
    """Im y(p + ih) / h; "not_analytic" or "has_jumps" where the model does not allow it."""
    if not _jumps(setting.model) and obstacle(setting.model):
        return _refused(setting, "not_analytic")
    return _smooth(setting, complex_step)


def _discrete_adjoint(setting: Setting) -> Sensitivities:
    """Forward AD transposed, by reverse mode; "has_jumps" where the state jumps."""
    return _smooth(setting, discrete_adjoint)


def _backsolve_adjoint(setting: Setting) -> Sensitivities:
    """The adjoint equation and the state backwards; "has_jumps" where the state jumps."""
    return _smooth(setting, backsolve_adjoint)


def _jumps(model: Model) -> bool:
    return any(event.jump is not None for event in model.events.values())


def _smooth(setting: Setting, run: Callable[[Setting], tuple[Raw, float, float]]) -> Sensitivities:
    """What `run` gives, for a model whose state does not jump."""
    if _jumps(setting.model):
        return _refused(setting, "has_jumps")
    return _whole(setting, *run(setting))


METHODS: dict[str, Callable[[Setting], Sensitivities]] = {
    "forward_ad": _forward_ad,
    "forward_sensitivity": _forward_sensitivity,
    "forward_sensitivity_partial": _forward_sensitivity_partial,
    "saltation": _saltation,
    "dual_norm": _dual_norm,
    "taylor": _taylor,
    "finite_difference": _finite_difference,
    "complex_step": _complex_step,
    "discrete_adjoint": _discrete_adjoint,
    "backsolve_adjoint": _backsolve_adjoint,
    "cvodes": partial(witness, method="cvodes"),
    "cvodes_partial": partial(witness, method="cvodes_partial"),
    "diffsol": partial(witness, method="diffsol"),
    "diffsol_partial": partial(witness, method="diffsol_partial"),
}
