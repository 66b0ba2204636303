"""Models of one form: the same but for numbers, and so with one compiled program.

The conditions of an experiment give a model other doses and rate constants, another start and
another window, and nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from gradaudit.backend.jaxpr.recording import Recorded
from gradaudit.model.definition import Model


class Numbers(NamedTuple):
    """What models of one form may differ in: arrays, which a program has as arguments.

    `start` are the numbers of the initial state as a function of the parameters, or the state.
    """

    rates: Any
    start: Any
    t_end: Any


def shared_form(model: Model) -> tuple[tuple[Any, ...], Numbers] | None:
    """What equals for models of one form, and the numbers; None for a model of its own.

    A model with events or integrands has functions beside the two that are compared. Where the
    values of parameters are is no matter: a program has these as an argument in any case.
    """
    rates, start = model.vector_field, model.initial_state
    if not isinstance(rates, Recorded) or model.events or model.integrands:
        return None
    if start is not None and not isinstance(start, Recorded):
        return None
    form, numbers = rates.form
    own, begin = (None, model.declared_state) if start is None else start.form
    key = form, own, model.n, model.m, model.observable_indices
    return key, Numbers(numbers, begin, np.float64(model.t_end))


def with_numbers(model: Model, numbers: Numbers) -> Model:
    """The model with other numbers, which may be traced, in a program for its form."""
    rates, start = model.vector_field, model.initial_state
    assert isinstance(rates, Recorded)
    form = rates.form[0]
    changed = replace(
        model,
        vector_field=lambda t, y, p: form(numbers.rates, jnp.asarray(t, y.dtype), y, p),
        initial_state=lambda p: numbers.start if start is None else start.form[0](numbers.start, p),  # type: ignore[attr-defined]
    )
    object.__setattr__(changed, "t_end", numbers.t_end)  # which is checked to be a number before
    return changed
