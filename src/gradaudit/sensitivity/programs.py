"""The compiled solve for a model and its options, at most once in a process."""

from __future__ import annotations

from gradaudit.backend.program_cache import identity_cache
from gradaudit.model.definition import Model
from gradaudit.model.switching import switches
from gradaudit.sensitivity.program import Program
from gradaudit.solvers.options import StaticOptions


@identity_cache
def program(model: Model, options: StaticOptions) -> Program:
    """The program for a model and what is compiled of its options, at most once in a process.

    A model whose state jumps needs one that stops at its jumps. With the option `saltation` it
    stops at every event if the vector field switches somewhere, and the tangents know that the
    event's time depends on the parameters. Other events are recorded in passing.
    """
    if model.jumps or (options.saltation and model.events and switches(model)):
        from gradaudit.sensitivity.hybrid_program import HybridProgram

        return HybridProgram(model, options)
    return Program(model, options)
