"""The first step of a solve."""

from __future__ import annotations

from gradaudit.backend.shapes import Parameters, Scalar
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state
from gradaudit.solvers.options import Stepping, TracedOptions
from gradaudit.solvers.sciml_controller import first_step


def initial_step(
    model: Model, stepping: Stepping, p: Parameters, options: TracedOptions, order: int
) -> Scalar | None:
    """The first step where the stepping chooses it itself, else None: then diffrax does."""
    if stepping != "sciml":
        return None
    return first_step(model.vector_field, initial_state(model, p), p, options, order=order)
