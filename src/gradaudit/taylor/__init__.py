"""The certified reference: the variational equations by the Taylor method, in many precisions."""

from __future__ import annotations

from gradaudit.taylor.ladder import reference
from gradaudit.taylor.production import taylor_sensitivities

__all__ = ["reference", "taylor_sensitivities"]
