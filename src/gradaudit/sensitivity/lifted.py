"""Forward methods by the lifted solver; they differ in what the error norm sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradaudit.records.results import Sensitivities
from gradaudit.sensitivity.assemble import assemble
from gradaudit.sensitivity.programs import program
from gradaudit.sensitivity.request import Request
from gradaudit.sensitivity.solve_status import Raw
from gradaudit.solvers.error_norm import Control


def lifted(
    request: Request, *, tangent_weight: float, augmented: bool = False, saltation: bool = False
) -> Sensitivities:
    """All tangents in one solve.

    Parameters
    ----------
    tangent_weight
        Of the tangents in the error norm: 1 for full control, 0 for none.
    augmented
        States and tangents are one system for the solver, Newton's method included.
    saltation
        The solve goes from event to event, and tangents know of the derivative of their times.
    """
    model = request.model
    control = Control(tangent_weight, 0.0, float(model.m), model.parameter_scale)
    raw, seconds, compile_seconds = _solve(
        request, control, np.arange(model.m), augmented=augmented, saltation=saltation
    )
    return assemble(model, request.times, [raw], [np.arange(model.m)], seconds, compile_seconds)


def chunked(request: Request, chunking: tuple[int, Sequence[range]]) -> Sensitivities:
    """One solve per chunk of parameters, in the error norm of dual numbers of the given width."""
    model = request.model
    width = chunking[0]
    chunks = [np.array(chunk) for chunk in chunking[1]]
    raws, seconds, compile_seconds = [], 0.0, 0.0
    for columns in chunks:
        control = Control(0.0, 1.0, float(width), model.parameter_scale[columns])
        raw, run, compiling = _solve(request, control, columns)
        raws.append(raw)
        seconds, compile_seconds = seconds + run, compile_seconds + compiling
    return assemble(model, request.times, raws, chunks, seconds, compile_seconds)


def _solve(
    request: Request,
    control: Control,
    columns: np.ndarray,
    *,
    augmented: bool = False,
    saltation: bool = False,
) -> tuple[Raw, float, float]:
    static = replace(request.options.static, augmented=augmented, saltation=saltation)
    solve = program(request.model, static)
    return solve(request.times, request.options.traced, control=control, columns=columns)
