"""The sensitivity equations: differentiate, then discretise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """Every parameter's tangents are in the error test."""
    from gradaudit.sensitivity.lifted import lifted

    return lifted(request, tangent_weight=1.0)


METHOD = Method(
    name="forward_sensitivity",
    label="full control",
    rank=20,
    description="the sensitivity equations, with the tangents in the error test",
    controls_tangents=True,
    locates_events=True,
    has_estimates=True,
    is_main=True,
    has_laws=True,
    solve=solve,
)
