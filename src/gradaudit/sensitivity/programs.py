"""The compiled solve for a model and its options, at most once in a process."""

from __future__ import annotations

from typing import Any

from gradaudit.backend.jaxpr.tracing import fingerprint
from gradaudit.backend.program_cache import identity_cache, programs_of
from gradaudit.model.definition import Model
from gradaudit.model.shared_form import shared_form
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
    shared = shared_form(model) if options.dtype == "float64" else None
    if shared is None:
        return Program(model, options, _compiled(model, options))
    (form, *others), numbers = shared
    return Program(model, options, programs_of(form, (*others, options)), numbers)


def _compiled(model: Model, options: StaticOptions) -> dict[Any, Any]:
    """What is compiled for models with the same functions, whatever the values of parameters.

    Without events a program has the values of the parameters and the window from its arguments
    alone. What the functions close over may have changed since a program was compiled (an array, a
    global number, an attribute of a callable object), so that they are traced for each model.
    """
    if model.events:
        return {}
    start, integrands = model.initial_state, tuple(model.integrands.values())
    written = [fingerprint(f, (None, model.n, model.m)) for f in (model.vector_field, *integrands)]
    begin = model.declared_state.tobytes() if start is None else fingerprint(start, (model.m,))
    same = (start, integrands, tuple(written), begin, model.observable_indices)
    return programs_of(model.vector_field, (*same, model.n, model.m, options))
