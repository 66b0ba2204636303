"""The events of one moment in the reference: states and tangents through all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.saltation import Effect, jumped
from gradaudit.model.definition import Model
from gradaudit.model.moment import alike
from gradaudit.records.results import EventRecord

Array = NDArray[Any]
Rates = Callable[[Array], Array]


class Instant(NamedTuple):
    """State (N,), tangents (N, m) and rate (N,) between two events of a moment."""

    z: Array
    tangents: Array
    rate: Array


class Progress(NamedTuple):
    """How far a moment has come: the instant, those of triggering, the records of events."""

    now: Instant
    triggered_at: Mapping[str, Instant]
    records: tuple[EventRecord, ...]


class EventMoment:
    """The events with a jump at one time, in one mode of the vector field.

    Parameters
    ----------
    effects
        Of all events of the model.
    time, p
        The time and the parameters (m,), in the precision.
    slopes
        Derivatives (m,) of the times of the events that are triggered by the flow.
    rates
        f(z) -> (N,) at this time, in the mode before the events.
    sides
        Sides of all thresholds (E,), looking ahead along the flow.
    apart
        The events have times of their own, which meet at these parameters only: each is triggered
        by the state that it finds.
    """

    def __init__(
        self, model: Model, effects: Mapping[str, Effect], time: Any, p: Array,
        slopes: Mapping[str, Array], rates: Rates, sides: Callable[[Array], NDArray[np.float64]],
        *, apart: bool = False,
    ) -> None:  # fmt: skip
        self.model, self.effects, self.time, self.p = model, effects, time, p
        self.slopes, self.rates, self.sides, self.apart = slopes, rates, sides, apart

    def begin(self, before: Instant) -> Progress:
        """The moment before its events."""
        return Progress(before, dict.fromkeys(self.slopes, before), ())

    def priority(self, name: str, progress: Progress) -> float | None:
        """The priority of an event, in double precision."""
        priority = self.model.events[name].priority
        if not callable(priority):
            return priority
        y = np.array([float(x) for x in progress.now.z[: self.model.n]])
        return float(priority(float(self.time), y, self.model.nominal))

    def happen(self, name: str, progress: Progress) -> tuple[Progress, list[str]]:
        """Through one event; and the events that its jump triggers, at the same time."""
        now, (*_, slope) = progress.now, (*self.slopes.values(),)
        slope = self.slopes.get(name, slope)
        assigned = self.model.assigned_indices(self.model.events[name])
        at = now if assigned is None or self.apart else progress.triggered_at[name]
        effect = self.effects[name].function(self.time, at.z, self.p)
        rows = slice(self.model.n) if assigned is None else list(assigned)
        z = now.z.copy()
        z[rows] = effect["R"][rows]
        rate = self.rates(z)
        tangents = now.tangents + np.outer(now.rate - rate, slope)
        tangents[rows] = jumped(effect, at.tangents, at.rate, rate, slope)[rows]
        after = Instant(z, tangents, rate)
        before, behind = self.sides(now.z), self.sides(z)
        more = [
            other
            for (other, event), one, two in zip(
                self.model.events.items(), before, behind, strict=True
            )
            if other != name and event.jump is not None and one * two < 0 <= event.direction * two
        ]
        trigger = progress.triggered_at[name]
        record = EventRecord(name, self.time, slope, trigger.z, trigger.tangents, trigger.rate)
        pending = {**progress.triggered_at, **dict.fromkeys(more, after)}
        return Progress(after, pending, (*progress.records, record)), more

    @staticmethod
    def differs(one: Progress, other: Progress) -> bool:
        """Whether two orders come to different states or tangents."""
        return not (alike(one.now.z, other.now.z) and alike(one.now.tangents, other.now.tangents))
