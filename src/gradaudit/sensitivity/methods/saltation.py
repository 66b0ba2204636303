"""The sensitivity equations from event to event."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradaudit.model.definition import Event
from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """Full error control from event to event, with the derivative of the event's time.

    For a model without events and switches it is `forward_sensitivity`. A switch without any event
    is looked for as one beside other events is.
    """
    from gradaudit.model.switching import switches
    from gradaudit.sensitivity.lifted import lifted

    if not request.model.events and switches(request.model):
        request = replace(request, model=replace(request.model, events={"none": NONE}))
    return lifted(request, tangent_weight=1.0, saltation=True)


NONE = Event(when=lambda t, y, p: 1.0 + 0.0 * t)
"""An event that never happens."""


METHOD = Method(
    name="saltation",
    label="saltation",
    rank=30,
    description="the sensitivity equations, with the tangents in the error test, event by event",
    controls_tangents=True,
    locates_events=True,
    has_estimates=True,
    same_without_events="forward_sensitivity",
    is_main=True,
    solve=solve,
)
