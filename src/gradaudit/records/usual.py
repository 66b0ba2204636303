"""The usual setting among rows of a table, one for each setting that was tried.

It is forward AD at a relative tolerance of 1e-6, with the solver that suits: of those with a result
the one of least work.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

METHOD, CONTROL = "forward_ad", "forward_sensitivity"

TODAY = 1e-6
"""The relative tolerance that many programs have by default."""


def nearest(rows: pd.DataFrame, rtol: float = TODAY) -> pd.DataFrame:
    """The rows at the tolerance that is nearest to `rtol`, on a logarithmic scale."""
    away = (rows["rtol"].map(math.log10) - math.log10(rtol)).abs()
    return rows[away <= away.min() + 1e-9]


def preferred(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with a result first, then by work, and by steps where the work is not known."""
    keys = ["_lost", *(name for name in ("work", "steps") if name in rows)]
    lost = rows.assign(_lost=rows["status"] != "ok")
    return lost.sort_values(keys, kind="stable").drop(columns="_lost")
