"""The variational Taylor method in double precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.sensitivity.method import Method

if TYPE_CHECKING:
    from gradaudit.records.results import Sensitivities
    from gradaudit.sensitivity.request import Request


def solve(request: Request) -> Sensitivities:
    """At heyoka's tolerance rtol; "not_translatable" where the model does not allow it."""
    from gradaudit.errors import TranslationError, extras_by_name
    from gradaudit.sensitivity.assemble import failed

    with extras_by_name("method 'taylor'"):
        from gradaudit.sensitivity.taylor import taylor_sensitivities

    try:
        return taylor_sensitivities(request.model, request.options.rtol, request.times)
    except TranslationError:
        return failed(request, "not_translatable")


METHOD = Method(
    name="taylor",
    label="Taylor",
    rank=60,
    description="a Taylor method of high order in double precision",
    without=("fd_step", "steps", "pid", "dtmax", "root_tolerance", "dtype"),
    own_solver=True,
    stages=100,  # each of some 20 coefficients costs a convolution
    locates_events=True,
    solve=solve,
)
