"""Times of events."""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.event_functionals import NEGLIGIBLE, last_common, linear
from gradaudit.evaluation.functional import Context, EventFunctional
from gradaudit.evaluation.functional_family import Family


def functionals(context: Context) -> list[EventFunctional]:
    """J = tau_k, the time of the first and of the last common occurrence, in units of time."""
    made = []
    for number, certified, last in last_common(context):
        for k in sorted({1, last}):
            slope = np.abs(certified.slopes[number, k - 1])
            if np.linalg.norm(slope) > NEGLIGIBLE * context.times[-1]:
                coefficients = {k - 1: 1.0}
                name = f"event_time_{certified.names[number]}_{k}"
                made.append(linear(certified, name, "event_time", number, coefficients))
    return made


def naming(functional: str) -> str:
    """One functional in words."""
    event, _, number = functional.removeprefix("event_time_").rpartition("_")
    return f"time of event {number} ({event})"


FAMILY = Family(
    name="event_time",
    label="time of an event",
    rank=100,
    value="time of the first and of the last common occurrence",
    purpose="every event",
    group="events",
    functionals=functionals,
    naming=naming,
    is_main=True,
)
