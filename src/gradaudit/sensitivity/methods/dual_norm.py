"""The error test of dual numbers, as in SciML."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request

CHUNK = 12
"""Most parameters of a dual number, as in ForwardDiff."""


def dual_chunks(m: int, threshold: int = CHUNK) -> tuple[int, list[range]]:
    """The width of a dual number and the parameters in each chunk.

    The rule of ForwardDiff: all at once up to `threshold`, else the smallest number of chunks of
    nearly equal width; the last one is padded with zero partials.
    """
    if m <= threshold:
        return m, [range(m)]
    width = math.ceil(m / math.ceil(m / threshold))
    return width, [range(start, min(start + width, m)) for start in range(0, m, width)]


def solve(request: Request) -> Sensitivities:
    """Full control in the scaling of dual numbers, one solve per chunk, as in SciML."""
    from gradaudit.sensitivity.lifted import chunked

    return chunked(request, dual_chunks(request.model.m))


METHOD = Method(
    name="dual_norm",
    label="dual norm",
    rank=40,
    description="the error test of dual numbers in SciML",
    locates_events=True,
    has_estimates=True,
    most_parameters=CHUNK,
    is_main=True,
    solve=solve,
)
