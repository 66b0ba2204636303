"""`sensitivities`: every method behind one call.

To add a method, add a function of a `Setting` and a line to `METHODS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from gradaudit.control import Control
from gradaudit.errors import SettingError
from gradaudit.forward import MAX_STEPS, OBSERVE, Raw, program, status_of
from gradaudit.loading import load_model
from gradaudit.model import Model
from gradaudit.results import Array, Sensitivities
from gradaudit.solvers import get_solver

COUNTS = ("steps", "accepted", "rejected")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a method is run with; `times` (T,) have been checked."""

    model: Model
    solver: str
    rtol: float
    atol: float
    times: Array
    observe: str
    max_steps: int
    stepping: str = "diffrax"


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

    Raises
    ------
    ModelError, SettingError
        For a model or a setting that makes no sense. A solve that fails does not raise: its arrays
        are NaN and its `status` says what happened.
    """
    model = load_model(model)
    get_solver(solver)
    rtol = _tolerance("rtol", rtol, below=1.0)
    atol = 1e-3 * rtol if atol is None else _tolerance("atol", atol, below=math.inf)
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
    )
    return METHODS[method](setting)


def _tolerance(name: str, value: object, *, below: float) -> float:
    if isinstance(value, (int, float, np.integer, np.floating)) and 0.0 < value < below:
        return float(value)
    raise SettingError(
        f"{name} is {value!r}; a tolerance is a positive number, rtol is below 1, for example 1e-6."
    )


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


def _lifted(setting: Setting, *, tangent_weight: float, augmented: bool = False) -> Sensitivities:
    model = setting.model
    control = Control(tangent_weight, 0.0, float(model.m), model.parameter_scale)
    raw, seconds, compile_seconds = _solve(setting, control, np.arange(model.m), augmented)
    return assemble(model, setting.times, [raw], [np.arange(model.m)], seconds, compile_seconds)


def _taylor(setting: Setting) -> Sensitivities:
    """The variational Taylor method in double precision at tolerance rtol; `solver` is not used."""
    from gradaudit.taylor import taylor_sensitivities

    return taylor_sensitivities(setting.model, setting.rtol, setting.times)


def _finite_difference(setting: Setting) -> Sensitivities:
    """Central differences of the adaptive solve, which differentiate the step control as well.

    The step is the cube root of the machine's epsilon times |p_j|, where truncation and rounding
    balance for a function that is computed to rounding.
    """
    model, steps = setting.model, np.cbrt(np.finfo(np.float64).eps) * setting.model.parameter_scale
    control = Control(0.0, 0.0, 1.0, model.parameter_scale[:1])
    centre, seconds, compile_seconds = _solve(setting, control, np.arange(1))
    tangents = np.full((*centre.states.shape, model.m), np.nan)
    raws = [centre]
    for j, step in enumerate(steps):
        sides = []
        for sign in (1.0, -1.0):
            p = model.nominal
            p[j] += sign * step
            raw, run, _ = _solve(setting, control, np.arange(1), p=p)
            raws.append(raw)
            sides.append(raw.states)
            seconds += run
        tangents[..., j] = (sides[0] - sides[1]) / (2.0 * step) * model.parameter_scale[j]
    # The first failure among the solves decides; counts are those of all of them.
    failed = next((raw for raw in raws if status_of(raw) != "ok"), centre)
    whole = centre._replace(
        tangents=tangents,
        result=failed.result,
        indicator=np.nan,
        **{name: sum(int(getattr(r, name)) for r in raws) for name in COUNTS},
    )
    return assemble(model, setting.times, [whole], [np.arange(model.m)], seconds, compile_seconds)


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
) -> tuple[Raw, float, float]:
    solve = program(
        setting.model,
        setting.solver,
        setting.observe,
        setting.max_steps,
        setting.stepping,
        augmented,
    )
    return solve(
        setting.times, rtol=setting.rtol, atol=setting.atol, control=control, columns=columns, p=p
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
    )


METHODS: dict[str, Callable[[Setting], Sensitivities]] = {
    "forward_ad": _forward_ad,
    "forward_sensitivity": _forward_sensitivity,
    "forward_sensitivity_partial": _forward_sensitivity_partial,
    "dual_norm": _dual_norm,
    "taylor": _taylor,
    "finite_difference": _finite_difference,
}
