"""`sensitivities`: every method behind one call.

To add a method, add a function of a `Setting` and a line to `METHODS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gradaudit.adjoint import backsolve_adjoint, discrete_adjoint
from gradaudit.analytic import obstacle
from gradaudit.control import PID, Control
from gradaudit.differences import complex_step, finite_difference
from gradaudit.errors import SettingError, TranslationError
from gradaudit.forward import MAX_STEPS, OBSERVE, Raw, program, status_of
from gradaudit.integrals import integrand_names
from gradaudit.loading import load_model
from gradaudit.model import Model
from gradaudit.results import Array, Estimates, Hit, Sensitivities
from gradaudit.setting import Setting, check_axes, tolerance
from gradaudit.solvers import get_solver
from gradaudit.witnesses.run import witness

COUNTS = ("steps", "accepted", "rejected")


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
        Names from `gradaudit.solvers.SOLVERS` and `METHODS`.
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
        (`gradaudit.directions`), (T, N, 1), which is cheaper; not for models whose state jumps.

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


def _forward_ad(setting: Setting) -> Sensitivities:
    """Discretise, then differentiate: steps from the states alone, frozen in the derivative."""
    return _lifted(setting, tangent_weight=0.0)


def _forward_sensitivity(setting: Setting) -> Sensitivities:
    """Differentiate, then discretise, with every parameter's tangents in the error test."""
    return _lifted(setting, tangent_weight=1.0)


def _forward_sensitivity_partial(setting: Setting) -> Sensitivities:
    """Differentiate, then discretise, with the states alone in the error test.

    The large system is integrated as it stands, an implicit step with the Newton matrix of all of
    it. For explicit methods the result is that of forward AD, to rounding.
    """
    return _lifted(setting, tangent_weight=0.0, augmented=True)


def _saltation(setting: Setting) -> Sensitivities:
    """Full error control from event to event, with the derivative of the event's time.

    For a model without events it is `forward_sensitivity`.
    """
    return _lifted(setting, tangent_weight=1.0, saltation=True)


def _lifted(
    setting: Setting, *, tangent_weight: float, augmented: bool = False, saltation: bool = False
) -> Sensitivities:
    model = setting.model
    control = Control(tangent_weight, 0.0, float(model.m), model.parameter_scale)
    raw, seconds, compile_seconds = _solve(
        setting, control, np.arange(model.m), augmented, saltation=saltation
    )
    return assemble(model, setting.times, [raw], [np.arange(model.m)], seconds, compile_seconds)


def _taylor(setting: Setting) -> Sensitivities:
    """The variational Taylor method in double precision at tolerance rtol; `solver` is not used."""
    from gradaudit.taylor import taylor_sensitivities

    try:
        return taylor_sensitivities(setting.model, setting.rtol, setting.times)
    except TranslationError:
        return _failed(setting, "not_translatable")


def _failed(setting: Setting, status: str) -> Sensitivities:
    """A row for a method that cannot be used on a model."""
    model, times = setting.model, setting.times
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
        stats={**dict.fromkeys(COUNTS, 0.0), "seconds": 0.0},
    )


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


def _refused(setting: Setting, status: str) -> Sensitivities:
    """A method that does not apply: NaN, and a status that says why."""
    size = setting.model.n + len(integrand_names(setting.model))
    states = np.full((len(setting.times), size), np.nan)
    tangents = np.full((*states.shape, setting.model.m), np.nan)
    raw = Raw(states, tangents, np.nan, 0, 0, 0, 0)
    return replace(_whole(setting, raw, 0.0, 0.0), status=status)


def _whole(setting: Setting, raw: Raw, seconds: float, compile_seconds: float) -> Sensitivities:
    """The result of one solve for all parameters."""
    columns = [np.arange(setting.model.m)]
    return assemble(setting.model, setting.times, [raw], columns, seconds, compile_seconds)


def _dual_norm(setting: Setting) -> Sensitivities:
    """Full control in the scaling of dual numbers, one solve a chunk, as in SciML."""
    model = setting.model
    width, chunks = dual_chunks(model.m)
    raws, seconds, compile_seconds = [], 0.0, 0.0
    for columns in chunks:
        control = Control(0.0, 1.0, float(width), model.parameter_scale[columns])
        raw, run, compiling = _solve(setting, control, columns)
        raws.append(raw)
        seconds, compile_seconds = seconds + run, compile_seconds + compiling
    return assemble(model, setting.times, raws, chunks, seconds, compile_seconds)


def dual_chunks(m: int, threshold: int = 12) -> tuple[int, list[np.ndarray]]:
    """The width of a dual number and the parameters in each chunk.

    The rule of ForwardDiff: all at once up to `threshold`, else the smallest number of chunks of
    nearly equal width; the last one is padded with zero partials.
    """
    if m <= threshold:
        return m, [np.arange(m)]
    width = math.ceil(m / math.ceil(m / threshold))
    return width, [np.arange(start, min(start + width, m)) for start in range(0, m, width)]


def _solve(
    setting: Setting,
    control: Control,
    columns: np.ndarray,
    augmented: bool = False,
    p: Array | None = None,
    *,
    saltation: bool = False,
) -> tuple[Raw, float, float]:
    solve = program(
        setting.model,
        setting.solver,
        setting.observe,
        setting.max_steps,
        setting.stepping,
        augmented,
        setting.dtype,
        saltation,
        setting.estimate,
    )
    return solve(
        setting.times,
        rtol=setting.rtol,
        atol=setting.atol,
        control=setting.axes_of(control),
        columns=columns,
        p=p,
    )


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
        events=() if several else _unscaled(raws[0].hits, model),
        estimates=None if several else _estimates(raws[0], model),
    )


def _indicators(raws: list[Raw], model: Model) -> dict[str, float]:
    """What the steps showed of discontinuities, the worst of all chunks."""
    seen = [raw.crossed for raw in raws if raw.crossed]
    if not seen:
        return {}
    return {
        "neglected": max(float(crossed.neglected) for crossed in seen),
        "crossing_slope": max(float(crossed.slope) for crossed in seen) / model.t_end,
    }


def _estimates(raw: Raw, model: Model) -> Estimates | None:
    """Estimated errors by the parameters themselves; infinite where the companion was lost."""
    if not raw.estimates:
        return None
    states, tangents = (np.where(np.isnan(x), np.inf, x) for x in raw.estimates)
    if tangents.shape != raw.tangents.shape:  # along one direction
        return Estimates(states, tangents)
    return Estimates(states, tangents / model.parameter_scale, _unscaled(raw.beside, model))


def _unscaled(hits: tuple[Hit, ...], model: Model) -> tuple[Hit, ...]:
    """Events with derivatives by the parameters themselves."""
    scale = model.parameter_scale
    return tuple(h._replace(slope=h.slope / scale, tangents=h.tangents / scale) for h in hits)


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
