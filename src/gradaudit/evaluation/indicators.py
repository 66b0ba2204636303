"""What can be seen of a gradient's error without a reference.

All are numbers that are large where the error is. Those of a solve are functions of its arrays,
those of a gradient compare it with another one that was computed as well. Nothing here knows the
reference.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gradaudit.evaluation.gradient_error import state_error
from gradaudit.evaluation.stored_solves import Cell

Array = NDArray[Any]

CONTROLLED = ("saltation", "forward_sensitivity")
"""Methods with error control on the tangents, the best first."""

LOOSER = 10.0
"""A looser tolerance is at least so many times as loose; the nearest of these is taken."""

INDICATORS = {
    "embedded": "the largest embedded error of the tangents in a step, in units of |S|",
    "estimated_error": "embedded errors carried along to the end",
    "probed_error": "embedded errors carried along, in one random direction of the parameters",
    "control_difference": "another gradient, with error control on the tangents",
    "tolerance_difference": "the gradient at a looser tolerance",
    "amplification": "change of the states with the tolerance, times |phi| |S| over |g|",
    "growth": "e-foldings of |S| over the second half of the window",
    "stiffness": "fast times in the window",
    "neglected": "share of the saltation term that steps over a discontinuity leave out",
    "crossing_slope": "derivative of the times of events and branches, over the window",
    "rejected_share": "share of rejected steps",
}
"""Every indicator, by its column, in words."""


def of_solve(cell: Cell, looser: Cell | None, scale: Array) -> dict[str, float]:
    """The indicators that all gradients of one solve share; `looser` is it at a looser tolerance.

    `scale` (N,) is the size of states and integrals, for `growth`.
    """
    data, s = cell.data, cell.observations.sensitivities
    steps = float(data["steps"])
    seen = {name: _scalar(data, name) for name in ("neglected", "crossing_slope", "stiffness")}
    change = math.nan
    if looser is not None and cell.ok and looser.ok:
        change = state_error(looser.observations.z[0], cell.observations.z[0])
    return {
        **seen,
        "embedded": float(data["indicator"]) * cell.rtol,
        "rejected_share": float(data["rejected"]) / steps if steps > 0 else math.nan,
        "growth": _growth(data["time"].values, s / scale[:, None]),
        "state_difference": change,
        "estimate_seconds": _scalar(data, "estimate_seconds"),
        "probe_seconds": _scalar(data, "probe_seconds"),
    }


def looser_of(cell: Cell, ladder: list[Cell]) -> Cell | None:
    """Of the same method, the solve at the nearest tolerance that is `LOOSER` times as loose."""
    found = [other for other in ladder if other.rtol >= 0.99 * LOOSER * cell.rtol]
    return min(found, key=lambda other: other.rtol) if found else None


def with_comparisons(table: pd.DataFrame) -> pd.DataFrame:
    """The table of a model with the indicators that compare one row with another one."""
    found = {
        (row.solver, row.method, row.rtol, row.functional): row
        for row in table.itertuples(index=False)
    }
    rtols = {key: sorted(group["rtol"]) for key, group in table.groupby(["solver", "method"])}
    rows = [
        _compared(row, found, rtols[row.solver, row.method])
        for row in table.itertuples(index=False)
    ]
    return table.assign(**pd.DataFrame(rows, index=table.index))


def _compared(row: Any, found: dict[Any, Any], rtols: list[float]) -> dict[str, float]:
    wider = [rtol for rtol in rtols if rtol >= 0.99 * LOOSER * row.rtol]
    looser = found.get((row.solver, row.method, wider[0], row.functional)) if wider else None
    controlled = next(_controlled(row, found), None)
    size = row.gradient_norm
    return {
        "control_difference": _difference(row, controlled),
        "control_seconds": row.seconds + getattr(controlled, "seconds", math.nan),
        "tolerance_difference": _difference(row, looser),
        "tolerance_seconds": row.seconds + getattr(looser, "seconds", math.nan),
        "amplification": row.state_difference * row.computed_scale / size if size > 0 else math.nan,
    }


def _controlled(row: Any, found: dict[Any, Any]) -> Iterator[Any]:
    """What a row is compared with: error control on the tangents, or forward AD for such rows."""
    others = ("forward_ad",) if row.method in CONTROLLED else CONTROLLED
    for method in others:
        other = found.get((row.solver, method, row.rtol, row.functional))
        if other is not None:
            yield other


def _difference(row: Any, other: Any) -> float:
    """|g - g'| / |g'|; infinite where the other gradient could not be computed."""
    if other is None or row.status != "ok":
        return math.nan
    mine, theirs = np.asarray(row.gradient), np.asarray(other.gradient)
    if other.status != "ok" or not np.all(np.isfinite(theirs)):
        return math.inf
    size, change = float(np.linalg.norm(theirs)), float(np.linalg.norm(mine - theirs))
    return change / size if size > 0 else (0.0 if change == 0 else math.inf)


def _growth(times: Array, s: Array) -> float:
    """ln |S| at the end less ln |S| in the middle: largest of the tenth of the window there."""
    if not np.all(np.isfinite(s)) or len(times) < 5:
        return math.nan
    size, window = np.max(np.abs(s), axis=(1, 2)), times[-1] - times[0]
    early = size[np.abs(times - times[0] - 0.5 * window) <= 0.05 * window + 1e-12 * window]
    late = size[times >= times[-1] - 0.1 * window]
    if not len(early) or np.max(early) <= 0 or np.max(late) <= 0:
        return math.nan
    return float(np.log(np.max(late) / np.max(early)))


def _scalar(data: Any, name: str) -> float:
    return float(data[name]) if name in data else math.nan
