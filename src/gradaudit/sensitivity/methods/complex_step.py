"""The complex step: perturbed solves without cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """Im y(p + ih) / h; "not_analytic" or "has_jumps" where the model does not allow it."""
    from gradaudit.model.analyticity import obstacle
    from gradaudit.sensitivity.assemble import failed, smooth
    from gradaudit.sensitivity.perturbation import complex_step

    if not request.model.jumps and obstacle(request.model):
        return failed(request, "not_analytic")
    return smooth(request, complex_step)


METHOD = Method(
    name="complex_step",
    label="complex step",
    rank=80,
    description="perturbed solves: an imaginary perturbation, without cancellation",
    solves=(2.0, 0.0),  # its steps are those of all solves, of complex numbers
    solve=solve,
)
