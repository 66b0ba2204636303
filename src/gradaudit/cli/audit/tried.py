"""What the rows of an audit, one for each setting that was tried, say of a usual one and of others.

A row has the columns solver, method, rtol, status, error, resolution (the error of the reference
in the same unit), verdict and work; the same for a model and for a problem.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradaudit.records.numbers import short
from gradaudit.records.usual import METHOD, nearest, preferred
from gradaudit.report.numbers import count, number, tolerance

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]

CURVE = ["solver", "method"]


def usual_row(rows: pd.DataFrame) -> Row:
    """The default setting: forward AD, the tolerance nearest to 1e-6, the suitable solver.

    That is the solver of least work of those that have a result; of fewest steps where the work is
    not known.
    """
    of_method = rows[rows["method"] == METHOD]
    kept = rows if of_method.empty else of_method
    chosen = preferred(nearest(kept)).iloc[0]
    return {str(name): value for name, value in chosen.items()}


def sound_from(rows: pd.DataFrame, solver: str, method: str, good: float) -> float | None:
    """The loosest tolerance of a solver and method from which on all errors are surely good."""
    found = None
    own = rows[(rows["solver"] == solver) & (rows["method"] == method)]
    for row in own.sort_values("rtol").to_dict("records"):
        if not row["error"] + row["resolution"] <= good:
            break
        found = float(row["rtol"])
    return found


def answer(row: Row, good: float, horrible: float) -> str:
    """Whether a gradient is right: "right", "inaccurate", "wrong", "unknown" or "none"."""
    if row["status"] != "ok":
        return "none"
    if row["verdict"] == "unknown" or math.isnan(row["error"]):
        return "unknown"
    if row["error"] <= good:
        return "right"
    return "inaccurate" if row["error"] <= horrible else "wrong"


STUCK = "*: the error stops falling as the tolerance is tightened."
"""What the mark behind a word of a table means."""


def word_of(row: Row, good: float, horrible: float) -> str:
    """The answer for a table: the status of a solve that failed, a mark where errors are stuck."""
    if row["status"] != "ok":
        return str(row["status"])
    stuck = row.get("reason") in ("not_converging", "stops_falling")
    word = answer(row, good, horrible)
    return f"{word}*" if stuck and word != "unknown" else word


def exit_code(row: Row, limit: float) -> int:
    """0 where the error is surely at most `limit`, 1 where it is surely above, 3 where neither is.

    A gradient that there is none of counts as above.
    """
    if row["status"] != "ok":
        return 1
    error, resolution = row["error"], row["resolution"]
    if error + resolution <= limit:
        return 0
    return 1 if error - resolution > limit else 3


def told_exit_code(row: Row, limit: float) -> int:
    """The exit code, with a line on stderr that says what it stands for."""
    code = exit_code(row, limit)
    if row["status"] != "ok":
        found = f"there is no gradient ({row['status']})"
    elif math.isnan(row["error"]) or math.isinf(row["resolution"]):
        found = f"the error is not known, nor whether it is within --fail-above {limit:g}"
    else:
        place = {0: "within", 1: "above", 3: "not surely within or above"}[code]
        found = f"the error is {error_text(row)}, {place} --fail-above {limit:g}"
    print(f"gradaudit: {found} (exit code {code})", file=sys.stderr)
    return code


def setting(row: Row) -> str:
    """A setting in words."""
    return f"{row['solver']}, {row['method']}, rtol {tolerance(row['rtol'])}"


def error_text(row: Row) -> str:
    """The error, or a bound where it lies below what the reference resolves."""
    error, resolution = row["error"], row["resolution"]
    if error <= resolution < math.inf:
        return f"below {short(error + resolution, 1)}"
    return number(error, 3 if error >= 1.0 else 2)


def failures(rows: pd.DataFrame, *, passed_over: Sequence[str] = ()) -> Iterator[str]:
    """Where there is no result, for each solver and method, with the statuses."""
    for (solver, method), own in rows.groupby(CURVE, sort=False):
        lost = ~own["status"].isin(["ok", *passed_over])
        if lost.any():
            words = ", ".join(dict.fromkeys(own["status"][lost]))
            yield f"{solver} {method} at {_places(own, lost)} ({words})"


def silently_wrong(rows: pd.DataFrame, horrible: float) -> Iterator[str]:
    """Where a solve ends as it should and its gradient is wrong, for each solver and method."""
    for (solver, method), own in rows.groupby(CURVE, sort=False):
        wrong = (own["status"] == "ok") & (own["error"] > horrible) & (own["verdict"] != "unknown")
        if wrong.any():
            largest = number(float(own["error"][wrong].max()), 2)
            up_to = "up to " if wrong.sum() > 1 else ""
            yield f"{solver} {method} at {_places(own, wrong)} (error {up_to}{largest})"


def inaccurate(rows: pd.DataFrame, good: float, horrible: float) -> str:
    """How many settings have an error that is too large, and too small to be wrong."""
    known = (rows["status"] == "ok") & (rows["verdict"] != "unknown")
    between = int((known & (rows["error"] > good) & (rows["error"] <= horrible)).sum())
    if not between:
        return ""
    return (
        f"inaccurate (error above {tolerance(good)}, at most {number(horrible)}): "
        f"{count(between, 'setting')}, not named here"
    )


def _places(curve: pd.DataFrame, chosen: pd.Series) -> str:
    """Tolerances, from loose to tight; three or more in a row as a range."""
    named = [tolerance(rtol) for rtol in curve["rtol"][chosen]]
    positions = chosen.to_numpy().nonzero()[0]
    if len(named) > 2 and positions[-1] - positions[0] == len(named) - 1:
        return f"{named[0]} to {named[-1]}"
    return ", ".join(named)
