"""Cycles since the last occurrence of an event."""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.event_functionals import NEGLIGIBLE, last_common
from gradaudit.evaluation.functional import Context, EventFunctional
from gradaudit.evaluation.functional_family import Family
from gradaudit.evaluation.occurrences import EventTable, EventWeights


def functionals(context: Context) -> list[EventFunctional]:
    """J = (t_end - tau_K) / (tau_K - tau_(K-1)): cycles since the last common occurrence.

    Dimensionless; 1 is a whole interval.
    """
    made = []
    for number, certified, last in last_common(context):
        if last >= 2:
            functional = _phase(certified, number, last - 1, float(context.times[-1]))
            if np.linalg.norm(functional.natural) > NEGLIGIBLE:
                made.append(functional)
    return made


def _phase(certified: EventTable, number: int, slot: int, t_end: float) -> EventFunctional:
    def parts(events: EventTable) -> tuple[float, float]:
        before, last = events.times[number, slot - 1], events.times[number, slot]
        return float(t_end - last), float(last - before)

    def value(events: EventTable) -> float:
        since, interval = parts(events)
        return since / interval

    def weights(events: EventTable) -> EventWeights:
        since, interval = parts(events)
        phi = events.zero_weights()
        phi.times[number, slot] = -1.0 / interval - since / interval**2
        phi.times[number, slot - 1] = since / interval**2
        return phi

    here = [slot - 1, slot]
    sizes = np.abs(weights(certified).times[number, here])
    return EventFunctional(
        name=f"event_phase_{certified.names[number]}",
        kind="event_phase",
        event=certified.names[number],
        needed=slot + 1,
        value=value,
        weights=weights,
        natural=sizes @ np.abs(certified.slopes[number, here]),
    )


FAMILY = Family(
    name="event_phase",
    label="phase",
    rank=130,
    value="cycles since the last common occurrence, at the end of the window",
    purpose="events that happen twice or more",
    group="events",
    functionals=functionals,
    naming=lambda name: f"phase ({name.removeprefix('event_phase_')})",
)
