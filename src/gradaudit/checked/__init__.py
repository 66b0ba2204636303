"""Gradients for a user's own program, with error control, an error estimate and warnings, and
verdicts on those that others computed; solves of declared models belong to `sensitivity`.
"""

from gradaudit.checked.drop_in import diffeqsolve
from gradaudit.checked.jacobian import CheckedJacobian, Stats, checked_jacfwd
from gradaudit.checked.warnings import Warnings

__all__ = ["CheckedJacobian", "Stats", "Warnings", "checked_jacfwd", "diffeqsolve"]
