"""Mean interval between the occurrences of an event."""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.event_functionals import NEGLIGIBLE, last_common, linear
from gradaudit.evaluation.functional import Context, EventFunctional
from gradaudit.evaluation.functional_family import Family


def functionals(context: Context) -> list[EventFunctional]:
    """J = (tau_K - tau_1) / (K - 1), the mean interval from the first to the last common one.

    The period of a limit cycle, the interval between spikes; in units of time.
    """
    made = []
    for number, certified, last in last_common(context):
        if last >= 2:
            coefficients = {0: -1.0 / (last - 1), last - 1: 1.0 / (last - 1)}
            name = f"event_interval_{certified.names[number]}"
            made.append(linear(certified, name, "event_interval", number, coefficients))
    return [f for f in made if np.linalg.norm(f.natural) > NEGLIGIBLE * context.times[-1]]


FAMILY = Family(
    name="event_interval",
    label="interval between events",
    rank=120,
    value="mean interval: period, interval between spikes",
    purpose="events that happen twice or more",
    group="phase-invariant",
    functionals=functionals,
    naming=lambda name: f"interval between events ({name.removeprefix('event_interval_')})",
    is_main=True,
)
