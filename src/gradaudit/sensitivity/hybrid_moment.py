"""The events of one moment in a double-precision solve, one transition after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from gradaudit.model.definition import Event, Model
from gradaudit.model.moment import same_entries
from gradaudit.sensitivity.hybrid_types import EventTransition, Triggered

Slopes = tuple[np.ndarray, np.ndarray]
Transition = Callable[[str, Triggered, Slopes, Triggered], EventTransition]


class Progress(NamedTuple):
    """How far a moment has come: the state, and what happened, each with its transition."""

    now: Triggered
    signs: np.ndarray
    happened: tuple[tuple[str, Triggered, EventTransition], ...]
    triggered_at: Mapping[str, Triggered]


class HybridMoment:
    """The events with a jump at one time.

    Parameters
    ----------
    firsts
        The transition of each event as if it was alone.
    transition
        ``(name, now, slopes, trigger)``: the transition of an event that comes after others, with
        the derivatives of its time, of the solve and of the perturbed solve, and the state at
        which it was triggered.
    time
        The time.
    apart
        The events have times of their own, which meet at these parameters only: each is triggered
        by the state that it finds.
    """

    def __init__(
        self,
        model: Model,
        events: Mapping[str, Event],
        firsts: Mapping[str, EventTransition],
        transition: Transition,
        *,
        time: float,
        apart: bool = False,
    ) -> None:
        self.model, self.events, self.firsts = model, events, firsts
        self.transition, self.time, self.apart = transition, time, apart

    def begin(self, before: Triggered, signs: np.ndarray) -> Progress:
        """The moment before its events; `signs` are those of all events."""
        return Progress(before, signs, (), dict.fromkeys(self.firsts, before))

    def priority(self, name: str, progress: Progress) -> float | None:
        """The priority of an event in a state."""
        priority = self.events[name].priority
        if not callable(priority):
            return priority
        y = np.asarray(progress.now.state)[: self.model.n]
        return float(priority(self.time, y, self.model.nominal))

    def happen(self, name: str, progress: Progress) -> tuple[Progress, list[str]]:
        """Through one event; and the events that its jump triggers."""
        trigger = progress.triggered_at[name]
        if not progress.happened:
            crossing = self.firsts[name]
        else:
            at = progress.now if self.apart else trigger
            crossing = self.transition(name, progress.now, self._slopes(name, progress), at)
        behind = Triggered(crossing.state, crossing.tangents, crossing.error, crossing.decisions)
        more = [
            other
            for (other, event), old, new in zip(
                self.events.items(), progress.signs, crossing.signs, strict=True
            )
            if other != name
            and event.jump is not None
            and old != new
            and event.direction * new >= 0
            # the flow has carried it across already
            and not (other in self.firsts and not progress.happened)
        ]
        happened = (*progress.happened, (name, trigger, crossing))
        at_trigger = {**progress.triggered_at, **dict.fromkeys(more, behind)}
        return Progress(behind, np.asarray(crossing.signs), happened, at_trigger), more

    def _slopes(self, name: str, progress: Progress) -> Slopes:
        """Of an event that the flow triggers, its own; else those of what triggered it."""
        crossing = self.firsts.get(name) or progress.happened[0][2]
        perturbed = crossing.perturbed.slope if crossing.perturbed else crossing.slope
        return np.asarray(crossing.slope), np.asarray(perturbed)

    @staticmethod
    def differs(one: Progress, other: Progress) -> bool:
        """Whether two orders come to different states or tangents."""
        return not all(
            np.all(same_entries(a, b))
            for a, b in ((one.now.state, other.now.state), (one.now.tangents, other.now.tangents))
        )
