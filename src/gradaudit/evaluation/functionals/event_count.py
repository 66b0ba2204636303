"""Numbers of events, whose derivative is 0 wherever it exists."""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.functional import Context, EventFunctional
from gradaudit.evaluation.functional_family import Family
from gradaudit.evaluation.occurrences import EventTable


def functionals(context: Context) -> list[EventFunctional]:
    """J = the number of occurrences within the window.

    Its derivative is 0 wherever it exists. The natural scale is that of t_end over the mean
    interval, whose slope is what a smooth count would have.
    """
    if context.occurrences is None:
        return []
    certified = context.occurrences
    return [
        _count(certified, number, float(context.times[-1]))
        for number in range(len(certified.names))
    ]


def _count(certified: EventTable, number: int, t_end: float) -> EventFunctional:
    count = int(certified.counts()[number])
    natural = np.zeros(certified.slopes.shape[-1])
    if count >= 2:
        first, last = certified.times[number, [0, count - 1]]
        interval = (last - first) / (count - 1)
        slopes = np.abs(certified.slopes[number, [0, count - 1]])
        natural = t_end / interval**2 * np.sum(slopes, axis=0) / (count - 1)
    return EventFunctional(
        name=f"event_count_{certified.names[number]}",
        kind="event_count",
        event=certified.names[number],
        needed=0,
        value=lambda events: float(events.counts()[number]),
        weights=lambda events: events.zero_weights(),
        natural=natural,
        piecewise_constant=True,
    )


FAMILY = Family(
    name="event_count",
    label="number of events",
    rank=140,
    value="number of occurrences; its derivative is 0 and says nothing of its jumps",
    purpose="every event",
    group="counts",
    functionals=functionals,
    naming=lambda name: f"number of events ({name.removeprefix('event_count_')})",
    is_main=True,
)
