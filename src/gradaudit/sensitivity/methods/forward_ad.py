"""Forward AD: discretise, then differentiate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """Steps from the states alone, frozen in the derivative."""
    from gradaudit.sensitivity.lifted import lifted

    return lifted(request, tangent_weight=0.0)


METHOD = Method(
    name="forward_ad",
    label="forward AD",
    rank=10,
    description="the derivative of the solver's steps, chosen by the states",
    locates_events=True,
    has_estimates=True,
    is_probed=True,
    is_main=True,
    has_laws=True,
    solve=solve,
)
