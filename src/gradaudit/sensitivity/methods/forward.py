"""Forward methods by the lifted solver; they differ in what the error norm sees."""

from __future__ import annotations

import math

import numpy as np

from gradaudit.records.results import Array, Sensitivities
from gradaudit.sensitivity.assemble import assemble
from gradaudit.sensitivity.programs import program
from gradaudit.sensitivity.request import Setting
from gradaudit.sensitivity.solve_status import Raw
from gradaudit.solvers.error_norm import Control


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
