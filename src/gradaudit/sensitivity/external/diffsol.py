"""diffsol, a solver in Rust with forward sensitivities: variable-order BDF, its default method.

Its error test has tolerances for the sensitivities of its own; without them they are not in it.
Integrals are states here, and so in the error test. It counts no steps, and has no limit to them.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pydiffsol

from gradaudit.backend.program_cache import identity_cache
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model
from gradaudit.records.results import Sensitivities
from gradaudit.sensitivity.external.diffsl import diffsl
from gradaudit.sensitivity.external.result import outcome

if TYPE_CHECKING:
    from gradaudit.sensitivity.request import Request

_WORDS = {
    "Step size is too small": "step_underflow",
    "error test failures": "step_underflow",
    "nonlinear solver failures": "root_not_found",
}


@identity_cache
def _compiled(model: Model) -> Any:
    return pydiffsol.Ode(diffsl(model), matrix_type=pydiffsol.nalgebra_dense)


def diffsol(request: Request, *, controlled: bool) -> Sensitivities:
    """States and sensitivities, with tolerances for the sensitivities or without."""
    model, times = request.model, request.times
    begun = time.perf_counter()
    try:
        ode = _compiled(model)
    except TranslationError:
        return outcome(request, states=None, tangents=None, status="not_translatable", stats={})
    built = time.perf_counter()
    ode.ode_solver = pydiffsol.bdf
    ode.rtol, ode.atol = request.options.rtol, request.options.atol
    ode.sens_rtol = request.options.rtol if controlled else None
    ode.sens_atol = request.options.atol if controlled else None
    states, tangents, status = None, None, "ok"
    until = times if times[-1] > 0.0 else np.array([0.0, model.t_end])
    try:
        solution = ode.solve_fwd_sens(model.nominal / model.parameter_scale, until)
        states = np.asarray(solution.ys).T[: len(times)]
        tangents = np.moveaxis(np.asarray(solution.sens), 0, -1)
        tangents = np.moveaxis(tangents, 1, 0)[: len(times)]
    except RuntimeError as error:
        status = next((word for words, word in _WORDS.items() if words in str(error)), "failed")
    stats = {"seconds": time.perf_counter() - built, "compile_seconds": built - begun}
    return outcome(request, states=states, tangents=tangents, status=status, stats=stats)
