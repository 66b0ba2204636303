"""The chapter on estimation problems: whether the gradient of a log-likelihood is right."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from gradaudit.records.labels import method_name
from gradaudit.records.usual import CONTROL, METHOD, nearest, preferred
from gradaudit.report.numbers import (
    DASH,
    count,
    listed,
    number,
    percent,
    rounded_down,
    share,
    tolerance,
)
from gradaudit.report.problem_answers import NOMINAL, by_question, error_cell, tool_table
from gradaudit.report.tables import Cell, Table

HEADS = (
    "problem",
    "certified",
    "forward AD at 1e-6",
    "full control at 1e-6",
    "right from",
    "cheapest right setting",
    "error from",
)
Row = Mapping[str, Any]


def chapter(tables: Sequence[pd.DataFrame], good: float, horrible: float = 0.5) -> dict[str, Any]:
    """Sentences and tables of the problems; empty where there is none.

    Parameters
    ----------
    tables
        Of stage problem, one for each.
    good
        Errors up to it are right.
    horrible
        Errors above it are horrible.
    """
    if not tables:
        return {}
    own = [table[(table["tool"] == "") & (table["point"] == NOMINAL)] for table in tables]
    own = [table for table in own if len(table)]
    answers = by_question(tables, good)
    others = [answers[key][0] for key in ("q1", "q2") if key in answers]
    return {
        "sentences": [*_sentences(own, good), *others, *answers.get("q4", [])],
        "table": _table(own, good, horrible),
        "tools": tool_table(tables, good, horrible),
    }


def usual(table: pd.DataFrame, method: str) -> Row | None:
    """The row of a method at the tolerance nearest to 1e-6, or None.

    The solver is that of least work of those that have a result.
    """
    rows = table[table["method"] == method]
    if rows.empty:
        return None
    return _row(preferred(nearest(rows)).iloc[0])


def _row(series: Any) -> dict[str, Any]:
    return {str(name): value for name, value in series.items()}


def _right(row: Row | None, good: float) -> bool:
    return row is not None and row["status"] == "ok" and bool(_bound(row) <= good)


def _known(row: Row | None) -> bool:
    """Whether the error is measured, or there is no gradient to measure it of."""
    return row is not None and (row["status"] != "ok" or row["verdict"] != "unknown")


def _bound(row: Row) -> float:
    return float(row["error"] + row["resolution"])


def _sentences(tables: Sequence[pd.DataFrame], good: float) -> list[str]:
    rows = [usual(table, METHOD) for table in tables]
    known = [row for row in rows if row is not None and _known(row)]
    right = [row for row in known if _right(row, good)]
    found = [
        "Forward AD at a relative tolerance of 1e-6 gives the right gradient of the log-likelihood "
        f"for {share(len(right), len(known), 'problem')}: within {percent(good)} of the certified "
        "one, at the nominal parameters."
    ] * bool(known)
    wrong = sorted(
        (row for row in known if row["status"] == "ok" and not _right(row, good)),
        key=lambda row: -row["error"],
    )
    if wrong:
        named = [f"{row['problem']} ({number(row['error'], 2)})" for row in wrong]
        found.append(f"The relative error is largest in {listed(named)}.")
    cured = [
        table
        for table in tables
        if not _right(usual(table, METHOD), good) and _right(usual(table, CONTROL), good)
    ]
    if cured:
        names = listed([str(table["problem"].iloc[0]) for table in cured])
        found.append(f"Full control at the same tolerance corrects {names}.")
    unknown = [str(t["problem"].iloc[0]) for t, row in zip(tables, rows, strict=True)
               if not _known(row)]  # fmt: skip
    if unknown:
        found.append(
            f"Nothing is known of {listed(unknown)}, since the certified gradient has too few "
            "digits; the table says why."
        )
    return found


def _table(tables: Sequence[pd.DataFrame], good: float, horrible: float) -> Table:
    return Table(heads=HEADS, rows=[_cells(table, good, horrible) for table in tables])


def _cells(table: pd.DataFrame, good: float, horrible: float) -> list[Cell]:
    first = _row(table.iloc[0])
    today, control = usual(table, METHOD), usual(table, CONTROL)
    size = (
        f"{count(len(first['parameters']), 'parameter')}, "
        f"{count(int(first['simulated_conditions']), 'condition')}"
    )
    status = str(first["reference_status"])
    certified = Cell(
        text=f"{rounded_down(float(first['digits']))} digits" if first["digits"] > 0.0 else DASH,
        note="" if status == "ok" else status,
    )
    return [
        Cell(text=str(first["problem"]), note=size),
        certified,
        _error(today, good, horrible),
        _error(control, good, horrible),
        Cell(text=_sound(table, today, good)),
        _cheapest(table, good),
        Cell(text=_origin(today)),
    ]


def _error(row: Row | None, good: float, horrible: float) -> Cell:
    if row is None:
        return Cell(text=DASH)
    return Cell(**error_cell(row, good, horrible), note=str(row["solver"]))


def _sound(table: pd.DataFrame, today: Row | None, good: float) -> str:
    """The loosest tolerance of today's solver and method from which on all are right."""
    if today is None:
        return DASH
    own = table[(table["solver"] == today["solver"]) & (table["method"] == today["method"])]
    found = None
    for _, series in own.sort_values("rtol").iterrows():
        if not _right(_row(series), good):
            break
        found = float(series["rtol"])
    return DASH if found is None else tolerance(found)


def _cheapest(table: pd.DataFrame, good: float) -> Cell:
    """The setting of least work that is right, with all tighter ones of its solver and method."""
    best: Row | None = None
    for _, own in table.groupby(["solver", "method"], sort=False):
        for _, series in own.sort_values("rtol").iterrows():
            row = _row(series)
            if not _right(row, good):
                break
            if best is None or row["work"] < best["work"]:
                best = row
    if best is None:
        return Cell(text=DASH)
    return Cell(
        text=f"{best['solver']}, {tolerance(best['rtol'])}", note=method_name(str(best["method"]))
    )


def _origin(today: Row | None) -> str:
    """The condition and the observable that cause most of the error of today."""
    if today is None or today["status"] != "ok":
        return DASH
    shares = json.loads(today["shares"])
    parts = []
    for kind in ("conditions", "observables"):
        name, share = next(iter(shares[kind].items()), ("", 0.0))
        if name and len(shares[kind]) > 1:
            parts.append(f"{name} ({100.0 * share:.0f} %)")
    return ", ".join(parts) or DASH
