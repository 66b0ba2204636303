"""What limits the steps of a solve, as far as the solve itself shows it.

The estimate is the distance to a second solve with half the steps. How far it is from the error
depends on what the steps are limited by. Where they follow the tolerance the ratio tends to
1 - 2^-q for an error of order q. Where stability limits an explicit method the half steps damp what
the steps excite, and the second solve is almost exact. An implicit method may have a reduced order,
of 1 or 2. So the interval of an estimate has bounds for each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradaudit.records.catalogue import catalogue

if TYPE_CHECKING:
    import pandas as pd

LIMITS = ("tolerance", "stability", "implicit", "events")
"""By what steps are limited, or else how they are made: the names of the bounds of a score."""

FAST = 3.0
"""Fast times per step of an explicit solve from which on stability limits its steps.

Explicit methods of order 5 are stable up to 3.3 on the negative real axis. Of the series of
tolerances of `benchmarks/estimate_blind` in which steps do not grow, 9 of 10 gradients are above.
"""


def limit_of(implicit: Any, events: Any, fast: Any, xp: Any = np) -> Any:
    """Index in `LIMITS` of a solve, or of many.

    Parameters
    ----------
    implicit
        Whether the method is implicit.
    events
        Whether the solve goes from event to event, or its steps cross a discontinuity.
    fast
        The largest |lambda| of the Jacobian of the vector field along the solution, times the mean
        step; NaN, for unknown, is taken for small.
    xp
        ``numpy``, or ``jax.numpy`` for traced numbers.
    """
    explicit = xp.where(xp.asarray(fast) > FAST, 1, 0)
    return xp.where(xp.asarray(events), 3, xp.where(xp.asarray(implicit), 2, explicit))


def limits(rows: pd.DataFrame) -> np.ndarray:
    """`limit_of` each row of a table of audits, (N,).

    Events are told by the column `crosses` if there is one, else by the saltation terms that are
    neglected and by functionals of events.
    """

    def column(name: str, default: Any) -> np.ndarray:
        values = rows[name] if name in rows else [default] * len(rows)
        return np.asarray(values, dtype=type(default) if default != "" else object)

    known = catalogue("solvers")
    implicit = [name in known and known[name].implicit for name in column("base_solver", "")]
    crosses = (column("neglected", 0.0) > 0.0) | column("crosses", False)
    crosses |= np.array([str(kind).startswith("event_") for kind in column("kind", "")], dtype=bool)
    with np.errstate(divide="ignore", invalid="ignore"):
        fast = column("stiffness", np.nan) / column("accepted", np.nan)
    return np.asarray(limit_of(implicit, crosses, fast))
