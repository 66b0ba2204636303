"""Central differences of the adaptive solve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """Differences of whole solves, which differentiate the step control as well."""
    from gradaudit.sensitivity.assemble import whole
    from gradaudit.sensitivity.perturbation import finite_difference

    return whole(request, *finite_difference(request))


METHOD = Method(
    name="finite_difference",
    label="finite differences",
    rank=70,
    description="perturbed solves: central differences",
    without=(),
    solves=(1.0, 0.0),  # its steps are those of all solves
    solve=solve,
)
