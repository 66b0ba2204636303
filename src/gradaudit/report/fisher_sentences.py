"""What the report says of the Fisher information: standard errors, eigenvalues and their bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.report.fit_sentences import setting_name
from gradaudit.report.numbers import DASH, listed, number, sentence_case, share, tolerance
from gradaudit.report.tables import Cell, Table

HEADS = (
    "problem",
    "setting",
    "worst standard error",
    "worst eigenvalue",
    "condition",
    "resolved eigenvalues",
    "bars",
)


def chapter(tables: Sequence[pd.DataFrame], good: float) -> dict[str, Any]:
    """Sentences and a table of the Fisher information; empty where there is none.

    Parameters
    ----------
    tables
        Of stage fisher, one for each problem.
    good
        Relative errors up to it are right.
    """
    tables = [table for table in tables if not table.empty]
    if not tables:
        return {}
    return {"sentences": _sentences(tables, good), "table": _table(tables, good)}


def _sentences(tables: Sequence[pd.DataFrame], good: float) -> list[str]:
    best = pd.concat([_least(table) for table in tables], ignore_index=True)
    found = _right(best, good)
    if found:
        found.append(
            f"A standard error is right if its relative error is at most {tolerance(good)}, "
            "against certified sensitivities at the nominal parameters."
        )
    rows = pd.concat(tables, ignore_index=True)
    more = (_eigenvalues(best, good), _bars(rows), _doubtful(tables))
    found += [sentence for sentence in more if sentence]
    for start, text in (
        (
            "not identifiable",
            "are not identifiable together: the certified information is singular",
        ),
        ("not resolved", "are not certified well enough to tell whether they are identifiable"),
    ):
        names = [_first(t, "problem") for t in tables if _reference(t).startswith(start)]
        if names:
            found.append(f"The parameters of {listed(names)} {text}.")
    gone = [
        _first(t, "problem") for t in tables if _reference(t).startswith(("refused", "no result"))
    ]
    if gone:
        found.append(f"There is no certified information of {listed(gone)}; the table says why.")
    return found


def _least(table: pd.DataFrame) -> pd.DataFrame:
    """For each method and tolerance the solver whose worst standard error is most accurate."""
    ordered = table.sort_values("worst_standard_error", kind="stable", na_position="last")
    return ordered.drop_duplicates(["method", "rtol"])


def _settings(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    keys = ["method", "rtol"]
    ordered = rows.sort_values(keys, ascending=[True, False], kind="stable")
    for _, own in ordered.groupby(keys, sort=False):
        yield setting_name(own["method"].iloc[0], own["rtol"].iloc[0]), own


def _right(best: pd.DataFrame, good: float) -> list[str]:
    found, all_right = list[str](), list[str]()
    for name, own in _settings(best):
        known = own[np.isfinite(own["worst_standard_error"])]
        right = int((known["worst_standard_error"] <= good).sum())
        if known.empty:
            continue
        if right == len(known):
            all_right.append(name)
            continue
        worst = known.loc[known["worst_standard_error"].idxmax()]
        found.append(
            f"{sentence_case(name)} gives right standard errors in "
            f"{share(right, len(known), 'problem')}; the largest relative error is "
            f"{number(worst['worst_standard_error'], 2)}, in {worst['problem']}."
        )
    if all_right:
        names = listed(all_right)
        found.append(f"The standard errors by {names} are right in every problem with a result.")
    return found


def _eigenvalues(best: pd.DataFrame, good: float) -> str:
    known = best[np.isfinite(best["worst_eigenvalue"])]
    if known.empty:
        return ""
    worst = known.loc[known["worst_eigenvalue"].idxmax()]
    if worst["worst_eigenvalue"] <= good:
        return (
            f"Every eigenvalue is right to within {tolerance(good)} by every setting with a result."
        )
    return (
        f"The largest relative error of an eigenvalue is {number(worst['worst_eigenvalue'], 2)}, "
        f"in {worst['problem']} by {setting_name(worst['method'], worst['rtol'])}."
    )


def _bars(rows: pd.DataFrame) -> str:
    known = rows[rows["bars_hold"].notna()]
    if known.empty:
        return ""
    wrong = known[~known["bars_hold"].astype(bool)]
    open_ended = known[known["status"].str.startswith("not resolved")]
    text = (
        "The estimated error bars contain every certified value in "
        f"{share(len(known), len(known), 'setting')}."
    )
    if len(wrong):
        text = (
            "The estimated error bars miss a certified value in "
            f"{share(len(wrong), len(known), 'setting')}, of {_problems(wrong)}."
        )
    if open_ended.empty:
        return text
    where = share(len(open_ended), len(known), "setting")
    return f"{text} Some bars have no upper end in {where}, of {_problems(open_ended)}."


def _problems(rows: pd.DataFrame) -> str:
    return listed(list(dict.fromkeys(rows["problem"])))


def _doubtful(tables: Sequence[pd.DataFrame]) -> str:
    """Where a setting has standard errors of parameters that are not identifiable."""
    names = [
        _first(table, "problem")
        for table in tables
        if _reference(table).startswith("not identifiable") and (table["status"] == "ok").any()
    ]
    if not names:
        return ""
    return (
        f"In {listed(names)} a solver gives finite standard errors where the certified information "
        "is singular."
    )


def _reference(table: pd.DataFrame) -> str:
    return _first(table, "reference_status")


def _first(table: pd.DataFrame, column: str) -> str:
    return str(table[column].iloc[0])


def _table(tables: Sequence[pd.DataFrame], good: float) -> Table:
    rows = [_cells({str(k): v for k, v in row.items()}, good)
            for table in tables for row in table.to_dict("records")]  # fmt: skip
    return Table(heads=HEADS, rows=rows)


def _cells(row: dict[str, Any], good: float) -> list[Cell]:
    reference, size = str(row["reference_status"]), len(row["parameters"])
    status = str(row["status"]).partition(":")[0]
    bars = Cell(text=DASH)
    if row["compared"]:
        verdict = "good" if row["held"] == row["compared"] else "horrible"
        bars = Cell(text=f"contain {row['held']} of {row['compared']}", verdict=verdict)
    return [
        Cell(text=str(row["problem"]), note="" if reference == "ok" else f"certified: {reference}"),
        Cell(
            text=f"{row['solver']}, {setting_name(row['method'], row['rtol'])}",
            note="" if status == "ok" else status,
        ),
        _error(row["worst_standard_error"], good),
        _error(row["worst_eigenvalue"], good),
        _error(row["condition_error"], good),
        Cell(
            text=f"{row['resolved']} of {size}",
            note=f"certified: {row['reference_resolved']}"
            if row["reference_resolved"] != row["resolved"]
            else "",
        ),
        bars,
    ]


def _error(error: float, good: float) -> Cell:
    if not np.isfinite(error):
        return Cell(text=DASH)
    verdict = "good" if error <= good else "bad" if error <= 0.5 else "horrible"
    return Cell(text=number(error, 2), verdict=verdict)
