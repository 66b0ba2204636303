"""The few settings that a gradient is usually computed with, and the tight one that judges them."""

from __future__ import annotations

from typing import Any

from gradaudit.problem.audit import FOR_EVENTS, METHODS, settings_of, usual_methods
from gradaudit.problem.definition import Problem
from gradaudit.records.usual import METHOD, TODAY

LOOSE, TIGHT = 1e-3, 1e-9


def usual_settings(
    problem: Problem, solver: str, *, atol_factor: float, max_steps: int
) -> list[dict[str, Any]]:
    """Keywords of `gradaudit.sensitivities`, the tight setting first.

    These are full control at 1e-9, forward AD at 1e-3 and 1e-6, and full control at 1e-6. Full
    control goes from event to event where events may happen.
    """
    methods = usual_methods(problem)
    control = FOR_EVENTS if FOR_EVENTS in methods else METHODS[-1]
    return [
        setting
        for method, tolerances in ((control, [TIGHT]), (METHOD, [LOOSE, TODAY]), (control, [TODAY]))
        for setting in settings_of(
            solver, [method], tolerances, atol_factor=atol_factor, max_steps=max_steps
        )
    ]
