"""What the estimation problems say to the four questions, and what the defaults of tools do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.records.labels import method_name
from gradaudit.records.usual import CONTROL, METHOD, TODAY, preferred
from gradaudit.report.numbers import (
    DASH,
    count,
    listed,
    number,
    percent,
    sentence_case,
    share,
    tolerance,
)
from gradaudit.report.tables import Cell, Table

NOMINAL = "nominal"


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
    factor = float(ratio.median())
    less = "less" if factor > 1.0 else "no less"
    return [
        f"The gradient of a log-likelihood is {less} accurate than the log-likelihood itself: its "
        f"relative error is {number(factor, 2)} times as large, in the median of "
        f"{count(len(ratio), 'gradient')} by {method_name(METHOD)}."
    ]


def _at_the_points(rows: pd.DataFrame, good: float) -> list[str]:
    """Shares of right gradients at the nominal and at the drawn points."""
    parts = []
    for points, noun in (
        (rows["point"] == NOMINAL, "nominal point"),
        (rows["point"] != NOMINAL, "point drawn within the bounds"),
    ):
        own = usual(rows[points], METHOD, TODAY)
        if len(own):
            plural = noun.replace("point", "points")
            parts.append(f"at {share(int(_right(own, good).sum()), len(own), noun, plural)}")
    if len(parts) < 2:
        return []
    return [
        f"Forward AD at 1e-6 gives the gradient of the log-likelihood to within {percent(good)} "
        f"{' and '.join(parts)}."
    ]


def _remedies(rows: pd.DataFrame, good: float) -> list[str]:
    """What a tighter tolerance and full control do where forward AD is not right at 1e-6."""
    nominal = rows[rows["point"] == NOMINAL]
    today = usual(nominal, METHOD, TODAY)
    wrong = sorted(set(today["problem"][~_right(today, good)]))
    if not wrong:
        return []
    own = nominal[nominal["problem"].isin(wrong)]
    right = own[_right(own, good)]
    control = usual(right, CONTROL, TODAY)
    tighter = right[(right["method"] == METHOD) & (right["rtol"] < 0.9 * TODAY)]
    by_control, by_tolerance = (own["problem"].nunique() for own in (control, tighter))
    found = [
        f"Forward AD at 1e-6 does not give the right gradient in {count(len(wrong), 'problem')}. "
        + _corrected(by_control, by_tolerance, len(wrong))
    ]
    never = [name for name in wrong if name not in set(right["problem"])]
    if never:
        found.append(f"No setting that was tried is right in {listed(never)}.")
    return found


def _corrected(by_control: int, by_tolerance: int, wrong: int) -> str:
    """What each remedy does to the problems that are not right, as a sentence."""
    control = f"{method_name(CONTROL)} at the same tolerance"
    tighter = "a tighter tolerance of forward AD"
    if not by_control and not by_tolerance:
        return f"Neither {control} nor {tighter} corrects {'it' if wrong == 1 else 'any of them'}."
    if wrong > 1:
        return (
            f"{sentence_case(control)} corrects {by_control or 'none'} of them, {tighter} "
            f"{by_tolerance or 'none'}."
        )
    if by_control and by_tolerance:
        return f"{sentence_case(control)} corrects it, and so does {tighter}."
    does, does_not = (control, tighter) if by_control else (tighter, control)
    return f"{sentence_case(does)} corrects it, {does_not} does not."


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
    named = [f"for {share(right, every, 'problem')} by {tool}" for tool, right, every in shares]
    return [
        "With the default tolerances of a tool, the gradient at the nominal parameters is within "
        f"{percent(good)} of the certified one {listed(named, limit=10)}."
    ]


def usual(rows: pd.DataFrame, method: str, rtol: float) -> pd.DataFrame:
    """A method at one tolerance: a row for each problem and point.

    The solver is that of least work of those that have a result.
    """
    own = rows[(rows["method"] == method) & np.isclose(rows["rtol"], rtol, rtol=1e-6)]
    return preferred(own).drop_duplicates(["problem", "point"])


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
