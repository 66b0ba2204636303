"""What limits the steps of a solve, as far as the solve itself shows it.

The estimate is the distance to a second solve with half the steps. How far it is from the error
depends on what the steps are limited by. Where they follow the tolerance the ratio tends to
1 - 2^-q for an error of order q. Where stability limits an explicit method the half steps damp what
the steps excite, and the second solve is almost exact. An implicit method may have a reduced order,
of 1 or 2. Where a saltation term is neglected, the error is that term. So the interval of an
estimate has bounds for each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradaudit.records.catalogue import catalogue

if TYPE_CHECKING:
    import pandas as pd

LIMITS = ("tolerance", "stability", "implicit", "events", "neglected")
"""By what steps are limited, or else what the solve does: the names of the bounds of a score."""

FAST = 3.0
"""Fast times per step of an explicit solve from which on stability limits its steps.

Explicit methods of order 5 are stable up to 3.3 on the negative real axis.
"""


def limit_of(implicit: Any, events: Any, neglected: Any, fast: Any, xp: Any = np) -> Any:
    """Index in `LIMITS` of a solve, or of many.

    Parameters
    ----------
    implicit
        Whether the method is implicit.
    events
        Whether the solve goes from event to event, with their saltation terms.
    neglected
        Whether the tangents lack the saltation term of a discontinuity.
    fast
        The largest |lambda| of the Jacobian of the vector field, in the mean over the solution,
        times the mean step; NaN, for unknown, is taken for small.
    xp
        ``numpy``, or ``jax.numpy`` for traced numbers.
    """
    explicit = xp.where(xp.asarray(fast) > FAST, 1, 0)
    smooth = xp.where(xp.asarray(implicit), 2, explicit)
    return xp.where(xp.asarray(neglected), 4, xp.where(xp.asarray(events), 3, smooth))


def limits(rows: pd.DataFrame) -> np.ndarray:
    """`limit_of` each row of a table of audits, (N,)."""

    def column(name: str, default: Any) -> np.ndarray:
        values = rows[name] if name in rows else [default] * len(rows)
        return np.asarray(values, dtype=type(default) if default != "" else object)

    known = catalogue("solvers")
    implicit = [name in known and known[name].implicit for name in column("base_solver", "")]
    located = column("method", "") == "saltation"
    located |= np.array([str(kind).startswith("event_") for kind in column("kind", "")], dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        fast = column("fast_times", np.nan) / column("accepted", np.nan)
    return np.asarray(limit_of(implicit, located, column("neglected", 0.0) > 0.0, fast))
