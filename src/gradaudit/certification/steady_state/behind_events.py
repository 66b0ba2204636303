"""A steady state behind events: what a certified solve has reached when nothing moves any more.

Behind an event the steady state is no root that the start alone determines: a jump may decide where
the dynamics go on. So the solve itself is carried so far that states and sensitivities are the same
at two times, of which one is twice the other.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.discrete_modes import Reader
from gradaudit.certification.heyoka.precision import DOUBLE
from gradaudit.certification.ladder import reference
from gradaudit.certification.steady_state.rates import Rates
from gradaudit.certification.steady_state.thresholds import event_ahead
from gradaudit.model.definition import Model
from gradaudit.records.results import Extended

WINDOWS = (10.0, 100.0)
"""Times that of the event, at which nothing may move any more."""
SAME = 1e-17
"""Of the largest state, or of a sensitivity: what may still change."""
DIGITS = 13.0


def settled(model: Model, event: float, time_limit: float) -> tuple[Extended, float] | None:
    """States and sensitivities at rest, rows of one time, and that time; None if they move on.

    `event` is the time of an event on the way.
    """
    ends = time.perf_counter() + time_limit
    for factor in WINDOWS:
        window = factor * max(event, 1e-3 * model.t_end)
        longer = replace(model, t_end=2.5 * window)
        left = max(ends - time.perf_counter(), 1.0)
        solved = reference(longer, [window, 2.0 * window], digits=DIGITS, time_limit=left)
        found = solved.extended
        if solved.status != "ok" or found is None:
            return None
        moved = [np.abs(part[1] - part[0]) for part in (found.states, found.sensitivities)]
        whole = float(np.abs(found.states).max(initial=0.0)) or 1.0
        natural = whole / model.parameter_scale
        if np.all(moved[0] <= SAME * whole) and np.all(moved[1] <= SAME * natural):
            if _varies(longer, 2.0 * window, found.states[1].astype(np.float64)):
                return None
            return _last(found, moved), window
    return None


def _varies(model: Model, t: float, y: NDArray[np.float64]) -> bool:
    """Whether the rates at a state (n,) are, or may be, others later, or an event happens."""
    if event_ahead(model, t, y) is not None:
        return True
    reader = Reader(model)
    z = np.concatenate([y, np.zeros(reader.size - model.n)])
    return Rates(reader, reader.mode_at(t, z), DOUBLE).varies(t, y)


def _last(found: Extended, moved: list[Any]) -> Extended:
    return Extended(
        states=found.states[1:],
        sensitivities=found.sensitivities[1:],
        state_bounds=found.state_bounds[1:] + 2.0 * moved[0].astype(np.float64),
        sensitivity_bounds=found.sensitivity_bounds[1:] + 2.0 * moved[1].astype(np.float64),
    )
