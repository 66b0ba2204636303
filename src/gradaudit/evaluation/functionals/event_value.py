"""Observables at an event."""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.event_functionals import NEGLIGIBLE, last_common
from gradaudit.evaluation.functional import Array, Context, EventFunctional
from gradaudit.evaluation.functional_family import Family
from gradaudit.evaluation.occurrences import EventTable, EventWeights


def functionals(context: Context) -> list[EventFunctional]:
    """J = y_o(tau_K), every observable at the last common occurrence.

    A true maximum, if that is what the event marks. The derivative is the whole one, that of tau_K
    included.
    """
    made = []
    for number, certified, last in last_common(context):
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


def _value(
    certified: EventTable, observable: str, number: int, slot: int, column: int, natural: Array
) -> EventFunctional:
    def weights(events: EventTable) -> EventWeights:
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


def naming(functional: str) -> str:
    """One functional in words; where the name of the observable ends is not known here."""
    names, _, number = functional.removeprefix("event_value_").rpartition("_")
    return f"value at event {number} ({names})"


FAMILY = Family(
    name="event_value",
    label="value at an event",
    rank=110,
    value="an observable at the last common occurrence: the true maximum, if that is the event",
    purpose="every event",
    group="events",
    functionals=functionals,
    naming=naming,
)
