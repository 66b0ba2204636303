"""Short forms for the small models of this folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp

from gradaudit import Event, Model


def model(
    field: Callable[..., Any],
    states: Sequence[float],
    parameters: Sequence[float],
    *,
    t_end: float = 1.0,
    events: Mapping[str, Event] | None = None,
    **further: Any,
) -> Model:
    """A model with states y0, y1, ... and parameters p0, p1, ...; `field` returns a list."""
    return Model(
        name="case",
        vector_field=lambda t, y, p: jnp.stack(list(field(t, y, p))),
        states={f"y{i}": (value, "1") for i, value in enumerate(states)},
        parameters={f"p{j}": (value, "1") for j, value in enumerate(parameters)},
        t_end=t_end,
        events=events or {},
        **further,
    )


def jump(*new: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """The state after an event, one function of (t, y, p) for each state."""
    return lambda t, y, p: jnp.stack([jnp.asarray(part(t, y, p), dtype=float) for part in new])


def at(index: int) -> Callable[[Any, Any, Any], Any]:
    """An event's function: the time is parameter `index`."""
    return lambda t, y, p: t - p[index]


def after(time: float) -> Callable[[Any, Any, Any], Any]:
    """An event's function: the time is fixed."""
    return lambda t, y, p: t - time
