"""What keeps a method of another tool from being used on a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.records.results import Sensitivities
from gradaudit.sensitivity.external.requirements import check_installed

if TYPE_CHECKING:
    from gradaudit.sensitivity.request import Request


def refusal(request: Request, method: str) -> Sensitivities | None:
    """NaN with the status "has_jumps" where the state jumps; None where the method can be used.

    Raises
    ------
    SettingError
        If a package of the method is missing.
    """
    check_installed([method])
    if not request.model.jumps:
        return None
    from gradaudit.sensitivity.external.result import outcome

    return outcome(request, states=None, tangents=None, status="has_jumps", stats={})
