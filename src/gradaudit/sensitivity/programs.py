"""The compiled solve for a model and its options, at most once in a process."""

from __future__ import annotations

from gradaudit.backend.program_cache import identity_cache
from gradaudit.model.definition import Model
from gradaudit.model.switching import switches
from gradaudit.sensitivity.program import Program
from gradaudit.sensitivity.solve_status import MAX_STEPS


@identity_cache
def program(
    model: Model,
    solver: str,
    observe: str = "step",
    max_steps: int = MAX_STEPS,
    stepping: str = "diffrax",
    augmented: bool = False,
    dtype: str = "float64",
    saltation: bool = False,
    estimate: bool | str = False,
) -> Program:
    """The program for a model, solver and way to observe, compiled at most once in a process.

    A model whose state jumps needs one that stops at its jumps; with `saltation` it stops at every
    event if the vector field switches somewhere, and the tangents know that the event's time
    depends on the parameters. Other events are taken down in passing.
    """
    settings = (model, solver, observe, max_steps, stepping, augmented, dtype)
    if model.jumps or (saltation and model.events and switches(model)):
        from gradaudit.sensitivity.hybrid_program import HybridProgram

        return HybridProgram(*settings, estimate=estimate, saltation=saltation)
    return Program(*settings, estimate=estimate)
