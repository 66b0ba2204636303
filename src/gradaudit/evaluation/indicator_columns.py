"""The columns of the audit table that hold indicators, and those that they are made from.

Those of a solve are functions of its arrays, those of a gradient are made from estimates or compare
it with another one that was computed as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from gradaudit.evaluation.gradient_error import state_error
from gradaudit.evaluation.indicator import Array, RowsSeen, SolveSeen
from gradaudit.evaluation.indicators import indicators
from gradaudit.evaluation.stored_solves import Cell
from gradaudit.records.catalogue import catalogue

LOOSER = 10.0
"""A looser tolerance is at least so many times as loose; the nearest of these is taken."""


def of_solve(cell: Cell, looser: Cell | None, scale: Array) -> dict[str, float]:
    """The indicators that all gradients of one solve share; `looser` is it at a looser tolerance.

    `scale` (N,) is the size of states and integrals.
    """
    seen = SolveSeen(cell, looser, scale)
    change = math.nan
    if looser is not None and cell.ok and looser.ok:
        change = state_error(looser.observations.z[0], cell.observations.z[0])
    return {
        **{
            indicator.name: indicator.of_solve(seen)
            for indicator in indicators().values()
            if indicator.of_solve is not None
        },
        "state_difference": change,
        "fast_times": seen.stored("fast_times"),
        "estimate_seconds": seen.stored("estimate_seconds"),
        "probe_seconds": seen.stored("probe_seconds"),
    }


def of_estimate(change: Array, gradient: Array) -> dict[str, float]:
    """The indicators from the estimated change of a gradient, (m,), and the gradient itself."""
    return {
        indicator.name: indicator.of_estimate(change, gradient)
        for indicator in indicators().values()
        if indicator.of_estimate is not None
    }


def looser_of(cell: Cell, ladder: list[Cell]) -> Cell | None:
    """Of the same method, the solve at the nearest tolerance that is `LOOSER` times as loose."""
    looser = [other for other in ladder if other.rtol >= 0.99 * LOOSER * cell.rtol]
    return min(looser, key=lambda other: other.rtol) if looser else None


def with_comparisons(table: pd.DataFrame) -> pd.DataFrame:
    """The table of a model with the indicators that compare one row with another one."""
    by_setting = {
        (row.solver, row.method, row.rtol, row.functional): row
        for row in table.itertuples(index=False)
    }
    rtols = {key: sorted(group["rtol"]) for key, group in table.groupby(["solver", "method"])}
    rows = [
        _compared(row, by_setting, rtols[row.solver, row.method])
        for row in table.itertuples(index=False)
    ]
    return table.assign(**pd.DataFrame(rows, index=table.index))


def _compared(row: Any, by_setting: dict[Any, Any], rtols: list[float]) -> dict[str, float]:
    wider = [rtol for rtol in rtols if rtol >= 0.99 * LOOSER * row.rtol]
    looser = by_setting.get((row.solver, row.method, wider[0], row.functional)) if wider else None
    seen = RowsSeen(controlled=next(_controlled(row, by_setting), None), looser=looser)
    columns = {}
    for indicator in indicators().values():
        if indicator.of_rows is not None:
            columns[indicator.name] = indicator.of_rows(row, seen)
        if indicator.seconds is not None:
            columns[indicator.cost] = indicator.seconds(row, seen)
    return columns


def controlling() -> tuple[str, ...]:
    """Methods with error control on the tangents in the steps of a solver, the best first.

    That is, those that locate events where there are any, then the others.
    """
    methods = catalogue("methods").values()
    candidates = [
        method for method in methods if method.controls_tangents and not method.own_solver
    ]
    return tuple(m.name for m in sorted(candidates, key=lambda m: not m.same_without_events))


def _controlled(row: Any, by_setting: dict[Any, Any]) -> Iterator[Any]:
    """What a row is compared with: error control on the tangents, or forward AD for such rows."""
    others = ("forward_ad",) if row.method in controlling() else controlling()
    for method in others:
        other = by_setting.get((row.solver, method, row.rtol, row.functional))
        if other is not None:
            yield other
