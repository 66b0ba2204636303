"""Functionals of events: times, values, intervals, phase and number.

The k-th occurrence of an event is compared with the k-th of the reference. Their derivatives are
those of the implicit function theorem, stored with the events. Functionals whose exact gradient is
zero, such as the time of an event at a fixed time, are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gradaudit.evaluation.functionals.base import Array, Context, EventFunctional
from gradaudit.evaluation.functionals.occurrences import EventWeights, Occurrences

NEGLIGIBLE = 1e-9
"""Of the window, or of the trace's sensitivities: a gradient below it is zero but for rounding."""


def times(context: Context) -> list[EventFunctional]:
    """J = tau_k, the time of the first and of the last common occurrence, in units of time."""
    made = []
    for number, certified, last in _events(context):
        for k in sorted({1, last}):
            slope = np.abs(certified.slopes[number, k - 1])
            if np.linalg.norm(slope) > NEGLIGIBLE * context.times[-1]:
                coefficients = {k - 1: 1.0}
                name = f"event_time_{certified.names[number]}_{k}"
                made.append(_linear(certified, name, "event_time", number, coefficients))
    return made


def values(context: Context) -> list[EventFunctional]:
    """J = y_o(tau_K), every observable at the last common occurrence.

    A true maximum, if that is what the event marks. The derivative is the whole one, that of tau_K
    included.
    """
    made = []
    for number, certified, last in _events(context):
        for observable in context.observables:
            column = context.states.index(observable)
            slope = np.abs(certified.value_slopes[number, last - 1, column])
            natural = (
                slope
                if context.sensitivities is None
                else np.maximum(slope, np.max(np.abs(context.sensitivities[:, column]), axis=0))
            )
            if np.linalg.norm(slope) > NEGLIGIBLE * np.linalg.norm(natural):
                made.append(_value(certified, observable, number, last - 1, column, natural))
    return made


def intervals(context: Context) -> list[EventFunctional]:
    """J = (tau_K - tau_1) / (K - 1), the mean interval from the first to the last common one.

    The period of a limit cycle, the interval between spikes; in units of time.
    """
    made = []
    for number, certified, last in _events(context):
        if last >= 2:
            coefficients = {0: -1.0 / (last - 1), last - 1: 1.0 / (last - 1)}
            name = f"event_interval_{certified.names[number]}"
            made.append(_linear(certified, name, "event_interval", number, coefficients))
    return [f for f in made if np.linalg.norm(f.natural) > NEGLIGIBLE * context.times[-1]]


def phases(context: Context) -> list[EventFunctional]:
    """J = (t_end - tau_K) / (tau_K - tau_(K-1)): cycles since the last common occurrence.

    Dimensionless; 1 is a whole interval.
    """
    made = []
    for number, certified, last in _events(context):
        if last >= 2:
            functional = _phase(certified, number, last - 1, float(context.times[-1]))
            if np.linalg.norm(functional.natural) > NEGLIGIBLE:
                made.append(functional)
    return made


def counts(context: Context) -> list[EventFunctional]:
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


def _events(context: Context) -> Iterator[tuple[int, Occurrences, int]]:
    """Number of each event that happened, the certified events, its last common occurrence."""
    if context.occurrences is None:
        return
    found = context.occurrences.counts()
    common = context.common or tuple(found)
    for number in range(len(found)):
        if found[number]:
            yield number, context.occurrences, min(int(common[number]), int(found[number]))


def _linear(
    certified: Occurrences, name: str, kind: str, number: int, coefficients: dict[int, float]
) -> EventFunctional:
    """A linear combination of the times of one event's occurrences."""
    slots, factors = list(coefficients), np.array(list(coefficients.values()))

    def value(events: Occurrences) -> float:
        return float(factors @ events.times[number, slots])

    def weights(events: Occurrences) -> EventWeights:
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


def _value(
    certified: Occurrences, observable: str, number: int, slot: int, column: int, natural: Array
) -> EventFunctional:
    def weights(events: Occurrences) -> EventWeights:
        phi = events.zero_weights()
        phi.values[number, slot, column] = 1.0
        return phi

    event = certified.names[number]
    return EventFunctional(
        name=f"event_value_{observable}_{event}_{slot + 1}",
        kind="event_value",
        event=event,
        needed=slot + 1,
        value=lambda events: float(events.values[number, slot, column]),
        weights=weights,
        natural=natural,
    )


def _phase(certified: Occurrences, number: int, slot: int, t_end: float) -> EventFunctional:
    def parts(events: Occurrences) -> tuple[float, float]:
        before, last = events.times[number, slot - 1], events.times[number, slot]
        return float(t_end - last), float(last - before)

    def value(events: Occurrences) -> float:
        since, interval = parts(events)
        return since / interval

    def weights(events: Occurrences) -> EventWeights:
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


def _count(certified: Occurrences, number: int, t_end: float) -> EventFunctional:
    found = int(certified.counts()[number])
    natural = np.zeros(certified.slopes.shape[-1])
    if found >= 2:
        first, last = certified.times[number, [0, found - 1]]
        interval = (last - first) / (found - 1)
        slopes = np.abs(certified.slopes[number, [0, found - 1]])
        natural = t_end / interval**2 * np.sum(slopes, axis=0) / (found - 1)
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
