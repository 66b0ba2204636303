"""The sensitivity equations from event to event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """Full error control from event to event, with the derivative of the event's time.

    For a model without events it is `forward_sensitivity`.
    """
    from gradaudit.sensitivity.lifted import lifted

    return lifted(request, tangent_weight=1.0, saltation=True)


METHOD = Method(
    name="saltation",
    label="with saltation",
    rank=30,
    description="the sensitivity equations, with the tangents in the error test, event by event",
    controls_tangents=True,
    locates_events=True,
    has_estimates=True,
    same_without_events="forward_sensitivity",
    is_main=True,
    solve=solve,
)
