"""What a hybrid solve returns for a segment and for an event, and the field that it solves."""

from __future__ import annotations

from typing import Any, NamedTuple

from gradaudit.backend.jaxpr.branches import Decisions
from gradaudit.backend.shapes import Parameters, ScalarLike, States

EVENT_COOLDOWN = 1e-9  # of the window: no event is looked for so soon after another


class Segment(NamedTuple):
    """A solve up to an event or to the end; `event_index` is the event's number, -1 at the end.

    `signs_ahead` (E,) are the signs of all events just behind the stop, along the flow before it.
    `errors` are the estimates at the observations and `error` at the end, `StateAndTangents`, or
    empty.
    """

    states: Any
    tangents: Any
    errors: Any
    stop: Any
    state: Any
    tangent: Any
    error: Any
    event_index: Any
    signs_ahead: Any
    changed_branch: Any
    missed_event: Any
    touched: Any
    indicator: Any
    crossed: Any
    counts: Any
    result: Any


class Triggered(NamedTuple):
    """The state at which an event is triggered, with what `EventTransition` has of it."""

    state: Any
    tangents: Any
    error: Any
    decisions: Any


class EventTransition(NamedTuple):
    """State and tangents behind an event, d(event time) along the seeds, the rate before it.

    `signs` are those of all events behind it. `decisions` are the outcomes of what switches in the
    vector field, empty without saltation. `neglected` (N, c) is the saltation term if it was left
    out, else 0. `error` estimates the errors of state and tangents, `StateAndTangents`, and
    `perturbed` is the event of the perturbed solve; they are empty without estimates.
    `onto_threshold` (c,) are the directions that move the state off a threshold on which the event
    has put it, empty without saltation.
    """

    state: Any
    tangents: Any
    slope: Any
    rate: Any
    signs: Any
    decisions: Any
    neglected: Any
    error: Any = ()
    perturbed: Any = ()
    onto_threshold: Any = ()


class PlainField:
    """A vector field that decides its branches anew in every evaluation, as a solver sees it."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, t: ScalarLike, z: States, p: Parameters, decisions: Decisions) -> States:
        return self.function(t, z, p)

    def decisions(self, t: ScalarLike, z: States, p: Parameters) -> Decisions:
        return []

    def decisions_ahead(
        self, t: ScalarLike, z: States, p: Parameters, step: ScalarLike
    ) -> Decisions:
        return []
