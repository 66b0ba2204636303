"""What the estimation problems say to the four questions, and what the defaults of tools do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.report.numbers import DASH, count, listed, number, percent, tolerance
from gradaudit.report.tables import Cell, Table

NOMINAL = "nominal"
METHOD, CONTROL, TODAY = "forward_ad", "forward_sensitivity", 1e-6


def by_question(tables: Sequence[pd.DataFrame], good: float) -> dict[str, list[str]]:
    """Sentences by the key of the question; empty where there is no problem.

    Parameters
    ----------
    tables
        Of stage problem, one for each.
    good
        Errors up to it are right.
    """
    if not tables:
        return {}
    rows = pd.concat(tables, ignore_index=True)
    rows = rows[(rows["status"] != "ok") | (rows["verdict"] != "unknown")]
    rows = rows[rows["verdict"] != "not_integrated"]
    own = rows[rows["tool"] == ""]
    found = {
        "q1": _against_the_value(own),
        "q2": _at_the_points(own, good),
        "q3": _remedies(own, good),
        "q4": tool_sentences(rows, good),
    }
    return {key: sentences for key, sentences in found.items() if sentences}


def _against_the_value(rows: pd.DataFrame) -> list[str]:
    """The error of the gradient beside that of the log-likelihood."""
    solved = rows[(rows["status"] == "ok") & (rows["method"] == METHOD)]
    value = (solved["value"] / solved["reference_value"] - 1.0).abs()
    kept = (value > 0.0) & (solved["error"] > 10.0 * solved["resolution"])
    ratio = (solved["error"] / value)[kept & np.isfinite(value)]
    if len(ratio) < 10:
        return []
    return [
        "The gradient of a log-likelihood is less accurate than the log-likelihood: its relative "
        f"error is {number(float(ratio.median()), 2)} times as large in the median of "
        f"{count(len(ratio), 'gradient')} of forward AD."
    ]


def _at_the_points(rows: pd.DataFrame, good: float) -> list[str]:
    """Shares of right gradients at the nominal and at the drawn points."""
    parts = []
    for points, text in (
        (rows["point"] == NOMINAL, "at the nominal parameters"),
        (rows["point"] != NOMINAL, "at points drawn within the bounds"),
    ):
        own = usual(rows[points], METHOD, TODAY)
        if len(own):
            parts.append(f"{int(_right(own, good).sum())} of {len(own)} {text}")
    if len(parts) < 2:
        return []
    return [
        f"Forward AD at 1e-6 gives the gradient of the log-likelihood to within {percent(good)} in "
        f"{' and '.join(parts)}."
    ]


def _remedies(rows: pd.DataFrame, good: float) -> list[str]:
    """What a tighter tolerance and error control do where forward AD is wrong at 1e-6."""
    nominal = rows[rows["point"] == NOMINAL]
    today = usual(nominal, METHOD, TODAY)
    wrong = sorted(set(today["problem"][~_right(today, good)]))
    if not wrong:
        return []
    own = nominal[nominal["problem"].isin(wrong)]
    right = own[_right(own, good)]
    control = usual(right, CONTROL, TODAY)
    tighter = right[(right["method"] == METHOD) & (right["rtol"] < 0.9 * TODAY)]
    found = [
        f"Where forward AD at 1e-6 is wrong ({count(len(wrong), 'problem')}), error control of the "
        f"sensitivities at the same tolerance is right in {control['problem'].nunique()}, and a "
        f"tighter tolerance of forward AD in {tighter['problem'].nunique()}."
    ]
    never = [name for name in wrong if name not in set(right["problem"])]
    if never:
        found.append(f"No setting that was tried is right in {listed(never)}.")
    return found


def tool_sentences(rows: pd.DataFrame, good: float) -> list[str]:
    """How many gradients are right by the defaults of each tool, the best tool first."""
    known = rows[(rows["tool"] != "") & (rows["point"] == NOMINAL)]
    if known.empty:
        return []
    shares = [
        (tool, int(_right(own, good).sum()), len(own))
        for tool, own in known.groupby("tool", sort=False)
    ]
    shares.sort(key=lambda item: -item[1] / item[2])
    named = [f"{tool} {right} of {every}" for tool, right, every in shares]
    return [
        f"Problems whose gradient at the nominal parameters is right to within {percent(good)} "
        f"with the default tolerances of a tool: {listed(named, limit=10)}."
    ]


def usual(rows: pd.DataFrame, method: str, rtol: float) -> pd.DataFrame:
    """A method at one tolerance: a row for each problem and point.

    The solver is that of least work of those that have a result.
    """
    own = rows[(rows["method"] == method) & np.isclose(rows["rtol"], rtol, rtol=1e-6)]
    own = own.assign(_lost=own["status"] != "ok").sort_values(["_lost", "work"], kind="stable")
    return own.drop_duplicates(["problem", "point"]).drop(columns="_lost")


def _right(rows: pd.DataFrame, good: float) -> pd.Series:
    return (rows["status"] == "ok") & (rows["error"] + rows["resolution"] <= good)


def tool_table(tables: Sequence[pd.DataFrame], good: float, horrible: float) -> Table | None:
    """Problems against the tools: the error at the nominal point, and the worst of the others."""
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"tool": []})
    rows = rows[rows["tool"] != ""]
    if rows.empty:
        return None
    tools = list(dict.fromkeys(rows["tool"]))
    found = []
    for problem, own in rows.groupby("problem", sort=False):
        cells = [Cell(text=str(problem))]
        for tool in tools:
            cells.append(_tool_cell(own[own["tool"] == tool], good, horrible))
        found.append(cells)
    return Table(heads=["problem", *tools], rows=found)


def _tool_cell(rows: pd.DataFrame, good: float, horrible: float) -> Cell:
    nominal = rows[rows["point"] == NOMINAL]
    if nominal.empty:
        return Cell(text=DASH)
    row = {str(name): value for name, value in nominal.iloc[0].items()}
    others = rows[(rows["point"] != NOMINAL) & (rows["status"] == "ok")]["error"]
    note = f"up to {number(float(others.max()), 2)} at other points" if len(others) else ""
    return Cell(**{**error_cell(row, good, horrible), "note": note})


def error_cell(row: Mapping[str, Any], good: float, horrible: float) -> dict[str, str]:
    """Text and colour of the error of a row."""
    if row["status"] != "ok":
        return {"text": str(row["status"]).replace("_", " "), "verdict": "horrible"}
    if row["verdict"] in ("unknown", "not_integrated"):
        return {"text": DASH}
    bound = float(row["error"] + row["resolution"])
    word = "good" if bound <= good else "bad" if row["error"] <= horrible else "horrible"
    below = row["error"] <= row["resolution"]
    text = f"below {tolerance(bound)}" if below else number(float(row["error"]), 2)
    return {"text": text, "verdict": word}
