"""From which tolerance on a setting's gradients are right, and which setting does it cheapest."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from gradaudit.records.catalogue import inverse_crimes
from gradaudit.tracking.tables import tolerance


@dataclass(frozen=True, kw_only=True)
class Usable:
    """What one (solver, method) needs for the gradients of all counted functionals.

    Attributes
    ----------
    rtol
        The loosest relative tolerance from which on all of them are good; NaN if there is none.
    functional
        The one that needs it; the first that never is good, if one is not.
    work
        Counted work of the solve at that tolerance, NaN if it is not known.
    """

    rtol: float
    functional: str
    work: float

    @property
    def needed(self) -> str:
        """The tolerance in words."""
        return tolerance(self.rtol)


def counted(table: pd.DataFrame) -> list[str]:
    """The functionals of a model that tell settings apart, in the order of the table.

    Left out are those whose data the solver makes itself (a small error means nothing there), and
    those that no setting can do, such as counts; all of them, if nothing else is left.
    """
    every = list(dict.fromkeys(table["functional"].astype(str)))
    able = table[~table["kind"].isin(inverse_crimes()) & table["sufficient_rtol"].notna()]
    return [name for name in every if name in set(able["functional"])] or every


def usable(rows: pd.DataFrame, functionals: list[str]) -> Usable:
    """What the rows of one (solver, method) say of those functionals."""
    rows = rows[rows["functional"].isin(functionals)]
    needed = rows.groupby("functional", sort=False)["sufficient_rtol"].first()
    horrible = rows.groupby("functional", sort=False)["ladder_verdict"].first() == "horrible"
    never = needed.isna() | horrible
    if never.any():
        return Usable(rtol=math.nan, functional=str(never.idxmax()), work=math.nan)
    rtol = float(needed.min())
    work = rows.loc[rows["rtol"] == rtol, "work"]
    return Usable(
        rtol=rtol,
        functional=str(needed.idxmin()),
        work=float(work.iloc[0]) if len(work) else math.nan,
    )


def best_setting(table: pd.DataFrame) -> tuple[str, str, Usable] | None:
    """Solver and method of least work among those whose counted functionals are all good.

    None where there is no such setting; of equal work the first of the table.
    """
    functionals = counted(table)
    found = [
        (str(solver), str(method), usable(rows, functionals))
        for (solver, method), rows in table.groupby(["solver", "method"], sort=False)
    ]
    good = [one for one in found if math.isfinite(one[2].rtol)]
    return min(good, key=lambda one: _cost(one[2].work), default=None)


def _cost(work: float) -> float:
    return work if math.isfinite(work) else math.inf
