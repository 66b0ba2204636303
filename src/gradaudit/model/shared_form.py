"""Models of one form: the same but for numbers, and so with one compiled program.

The conditions of an experiment give a model other doses and rate constants, another start and
another window, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from gradaudit.backend.jaxpr.recording import Recorded
from gradaudit.model.definition import Event, Model

FUNCTIONS = ("when", "jump", "priority")
"""Fields of an event that are, or may be, functions of t, y and p."""


class Numbers(NamedTuple):
    """What models of one form may differ in: arrays, which a program has as arguments.

    `start` are the numbers of the initial state as a function of the parameters, or the state;
    `events` those of the functions of each event.
    """

    rates: Any
    start: Any
    events: Any
    t_end: Any


def shared_form(model: Model) -> tuple[tuple[Any, ...], Numbers] | None:
    """What equals for models of one form, and the numbers; None for a model of its own.

    A model with integrands has functions beside those that are compared. What the values of
    parameters are is no matter: a program has these as an argument in any case.
    """
    rates, start = model.vector_field, model.initial_state
    if not isinstance(rates, Recorded) or model.integrands:
        return None
    if start is not None and not isinstance(start, Recorded):
        return None
    found = [_functions(event) for event in model.events.values()]
    if not all(isinstance(own, Recorded) for functions in found for own in functions.values()):
        return None
    happening = tuple(
        (name, *((part, own.form[0]) for part, own in functions.items()), *_settings(event))
        for (name, event), functions in zip(model.events.items(), found, strict=True)
    )
    moments = tuple({part: own.form[1] for part, own in own.items()} for own in found)
    form, numbers = rates.form
    own, begin = (None, model.declared_state) if start is None else start.form
    key = form, own, happening, model.n, model.m, model.observable_indices
    return key, Numbers(numbers, begin, moments, np.float64(model.t_end))


def with_functions(event: Event, change: Callable[[str, Any], Any]) -> Event:
    """An event with other functions in place of its own, each by ``change(field, function)``."""
    changed: dict[str, Any] = {part: change(part, own) for part, own in _functions(event).items()}
    return replace(event, **changed)


def _functions(event: Event) -> dict[str, Any]:
    """The functions of an event by the names of its fields."""
    return {part: own for part in FUNCTIONS if callable(own := getattr(event, part))}


def _settings(event: Event) -> tuple[Any, ...]:
    """What else it is."""
    values = (getattr(event, field.name) for field in fields(event))
    return tuple(None if callable(value) else value for value in values)


def with_numbers(model: Model, numbers: Numbers) -> Model:
    """The model with other numbers, which may be traced, in a program for its form."""
    rates, start = model.vector_field, model.initial_state
    assert isinstance(rates, Recorded)

    def filled(own: Recorded, values: Any) -> Callable[..., Any]:
        form = own.form[0]
        return lambda t, y, p: form(values, jnp.asarray(t, y.dtype), y, p)

    def happening(event: Event, values: Any) -> Event:
        return with_functions(event, lambda part, own: filled(own, values[part]))

    events = {
        name: happening(event, values)
        for (name, event), values in zip(model.events.items(), numbers.events, strict=True)
    }
    changed = replace(
        model,
        vector_field=filled(rates, numbers.rates),
        events=events,
        initial_state=lambda p: numbers.start if start is None else start.form[0](numbers.start, p),  # type: ignore[attr-defined]
    )
    object.__setattr__(changed, "t_end", numbers.t_end)  # which is checked to be a number before
    return changed
