"""The methods of other tools behind one function, which imports a tool when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradaudit.records.results import Sensitivities
from gradaudit.sensitivity.methods.external.requirements import check_installed

if TYPE_CHECKING:
    from gradaudit.sensitivity.request import Setting


def witness(setting: Setting, *, method: str) -> Sensitivities:
    """States and sensitivities by a method of `requirements.PACKAGES`.

    Tangents are in the error test, or not ("_partial"); ``setting.solver`` and ``setting.observe``
    are not used. The status is "has_jumps" where the state jumps, and "not_translatable" where the
    vector field has something that the tool's language has not.

    Raises
    ------
    SettingError
        If a package is missing.
    """
    check_installed([method])
    from gradaudit.sensitivity.methods.external.result import outcome

    if setting.model.jumps:
        return outcome(setting, states=None, tangents=None, status="has_jumps", stats={})
    controlled = not method.endswith("_partial")
    if method.startswith("cvodes"):
        from gradaudit.sensitivity.methods.external.cvodes import cvodes

        return cvodes(setting, controlled=controlled)
    from gradaudit.sensitivity.methods.external.diffsol import diffsol

    return diffsol(setting, controlled=controlled)
