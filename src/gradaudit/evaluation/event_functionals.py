"""What functionals of events share.

The k-th occurrence of an event is compared with the k-th of the reference. Their derivatives are
those of the implicit function theorem, stored with the events. Functionals whose exact gradient is
zero, such as the time of an event at a fixed time, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradaudit.evaluation.functional import Context, EventFunctional
from gradaudit.evaluation.occurrences import EventTable, EventWeights

NEGLIGIBLE = 1e-9
"""Of the window, or of the trace's sensitivities: a gradient below it is zero but for rounding."""


def last_common(context: Context) -> Iterator[tuple[int, EventTable, int]]:
    """Number of each event that happened, the certified events, its last common occurrence."""
    if context.occurrences is None:
        return
    counts = context.occurrences.counts()
    common = context.common or tuple(counts)
    for number in range(len(counts)):
        if counts[number]:
            yield number, context.occurrences, min(int(common[number]), int(counts[number]))


def linear(
    certified: EventTable, name: str, kind: str, number: int, coefficients: dict[int, float]
) -> EventFunctional:
    """A linear combination of the times of one event's occurrences."""
    slots, factors = list(coefficients), np.array(list(coefficients.values()))

    def value(events: EventTable) -> float:
        return float(factors @ events.times[number, slots])

    def weights(events: EventTable) -> EventWeights:
        phi = events.zero_weights()
        phi.times[number, slots] = factors
        return phi

    return EventFunctional(
        name=name,
        kind=kind,
        event=certified.names[number],
        needed=max(slots) + 1,
        value=value,
        weights=weights,
        natural=np.abs(factors) @ np.abs(certified.slopes[number, slots]),
    )
