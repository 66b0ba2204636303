"""Forward-mode gradients for a training loop: with error control, an error estimate and warnings.

`checked_jacfwd` returns a Jacobian with an estimate of its error; `diffeqsolve` is diffrax's, with
tangents whose steps are controlled.
"""

from gradaudit.checked.drop_in import diffeqsolve
from gradaudit.checked.jacobian import CheckedJacobian, Stats, checked_jacfwd
from gradaudit.checked.warnings import Warnings

__all__ = ["CheckedJacobian", "Stats", "Warnings", "checked_jacfwd", "diffeqsolve"]
