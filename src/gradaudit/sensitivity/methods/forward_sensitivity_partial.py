"""The sensitivity equations with the states alone in the error test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """Differentiate, then discretise, with the states alone in the error test.

    The large system is integrated as it stands, an implicit step with the Newton matrix of all of
    it. For explicit methods the result is that of forward AD, to rounding.
    """
    from gradaudit.sensitivity.lifted import lifted

    return lifted(request, tangent_weight=0.0, augmented=True)


METHOD = Method(
    name="forward_sensitivity_partial",
    label="partial control",
    rank=50,
    description="the sensitivity equations, without the tangents in the error test",
    locates_events=True,
    has_estimates=True,
    solve=solve,
)
