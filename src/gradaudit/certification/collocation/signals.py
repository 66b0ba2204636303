"""The functions whose zeros a solve must not pass: of events, and of boundaries of a mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.discrete_modes import Mode, Reader
from gradaudit.certification.grazing import moves
from gradaudit.certification.heyoka.precision import DOUBLE
from gradaudit.certification.heyoka.translate import state_variables, translate
from gradaudit.model.definition import Event, Model

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Signals:
    """Functions of one mode, in double precision.

    Attributes
    ----------
    events
        Names of the events, whose functions come first.
    boundaries
        What switches at the zeros of the others.
    choices
        Which choice of the mode that is.
    values
        From points (1 + N + m, K), rows t, states and integrals, parameters: (E + B, K).
    """

    events: tuple[str, ...]
    boundaries: tuple[str, ...]
    choices: tuple[int, ...]
    values: Callable[[Float], Float]


def compile_signals(reader: Reader, mode: Mode) -> Signals:
    """Translate and compile the event functions of a model, and the boundaries of a mode."""
    model = reader.model
    t, z = hy.expression("t"), state_variables(model)
    p = [hy.expression(f"p{j}") for j in range(model.m)]
    _, boundaries = reader.rates(mode, DOUBLE, p)
    moving = [
        (name, hy.subs(b, {hy.time: t}), choice)
        for (name, b), choice in zip(boundaries, reader.places[mode], strict=True)
        if moves(b)
    ]
    events = [_function(model, name, event, t, z, p) for name, event in model.events.items()]
    function = hy.cfunc([*events, *(b for _, b, _ in moving)], [t, *z, *p], compact_mode=True)
    return Signals(
        events=tuple(model.events),
        boundaries=tuple(name for name, _, _ in moving),
        choices=tuple(choice for _, _, choice in moving),
        values=lambda points: np.asarray(function(np.ascontiguousarray(points))),
    )


def _function(model: Model, name: str, event: Event, t: Any, z: Any, p: Any) -> hy.expression:
    return translate(
        lambda a, b, c: event.when(a, b[: model.n], c),
        [t, z, p],
        precision=DOUBLE,
        where=f"model {model.name!r}: events[{name!r}].when",
    )[0]
