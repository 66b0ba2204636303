"""What the report says of fits: what the error of the gradient does to an optimiser."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from gradaudit.records.labels import method_name
from gradaudit.report.numbers import (
    DASH,
    count,
    listed,
    number,
    sentence_case,
    share,
    tolerance,
)
from gradaudit.report.tables import Cell, Table

ALIKE = 0.25
"""Numbers of iterations whose ratio is nearer to 1 than this count as equal."""

HEADS = (
    "problem",
    "gradient by",
    "ends elsewhere",
    "distance of the ends",
    "iterations",
    "calls",
    "failed line searches",
    "lost solves",
)


def chapter(tables: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """Sentences and a table of fits; empty where there is none.

    Parameters
    ----------
    tables
        Of stage fit, one for each problem.
    """
    tables = [table for table in tables if not table.empty]
    if not tables:
        return {}
    rows = pd.concat([_with_tight(table) for table in tables], ignore_index=True)
    return {"sentences": _sentences(rows, len(tables)), "table": _table(rows)}


def setting_name(method: str, rtol: float) -> str:
    """A setting as in a sentence."""
    return f"{method_name(method)} at {tolerance(rtol)}"


def _with_tight(table: pd.DataFrame) -> pd.DataFrame:
    """With the iterations of the tight setting from the same start, NaN where it has no end."""
    tight = table[table["judges"] & (table["status"] == "ok")].set_index("start")
    return table.assign(tight_iterations=table["start"].map(tight["iterations"]))


def _settings(rows: pd.DataFrame) -> Iterator[tuple[str, bool, pd.DataFrame]]:
    """Name, whether it judges, and rows of each setting, the tight one last."""
    keys = ["judges", "method", "rtol"]
    ordered = rows.sort_values(keys, ascending=[True, True, False], kind="stable")
    for _, own in ordered.groupby(keys, sort=False):
        first = own.iloc[0]
        yield setting_name(first["method"], first["rtol"]), bool(first["judges"]), own


def _compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Those with an end that the tight setting has judged, and one of its own to compare with."""
    return rows[rows["elsewhere"].notna()]


def _sentences(rows: pd.DataFrame, problems: int) -> list[str]:
    usual = [(name, own) for name, judges, own in _settings(rows) if not judges]
    found = [*_elsewhere(usual), _better(usual), *_iterations(usual), _line_searches(rows)]
    own = "" if problems == 1 else " of a problem"
    found.append(
        "A fit ends elsewhere if its log-likelihood is worse by more than 0.1 than that of the "
        f"tight setting from the same start. All settings{own} have the same starts."
    )
    missing = rows[rows["status"].isin(["time_limit", "not_run"])]
    if len(missing):
        names = listed(list(dict.fromkeys(missing["problem"])))
        found.append(
            f"The time limit left out {share(len(missing), len(rows), 'fit')}, in {names}."
        )
    unknown = rows[rows["status"].str.startswith("not_judged")]
    if len(unknown):
        found.append(
            f"Nothing is known of {count(len(unknown), 'fit')}, in "
            f"{listed(list(dict.fromkeys(unknown['problem'])))}: the tight setting has no result "
            f"where {'it ends' if len(unknown) == 1 else 'they end'}."
        )
    return [sentence for sentence in found if sentence]


def _elsewhere(usual: Sequence[tuple[str, pd.DataFrame]]) -> list[str]:
    found, none = list[str](), list[str]()
    for name, own in usual:
        known = _compared(own)
        wrong = known[known["elsewhere"].astype(bool)]
        if len(wrong):
            where = listed(list(dict.fromkeys(wrong["problem"])))
            end = "ends" if len(wrong) == 1 else "end"
            fits = sentence_case(share(len(wrong), len(known), "fit"))
            found.append(f"{fits} by {name} {end} elsewhere, in {where}.")
        elif len(known):
            none.append(name)
    if none:
        found.append(f"No fit by {_either(none)} ends elsewhere.")
    return found


def _better(usual: Sequence[tuple[str, pd.DataFrame]]) -> str:
    better = sum(int(_compared(own)["better"].astype(bool).sum()) for _, own in usual)
    known = sum(len(_compared(own)) for _, own in usual)
    if not better:
        return ""
    end = "ends" if better == 1 else "end"
    return (
        f"{sentence_case(share(better, known, 'fit'))} by these settings {end} with a better "
        "log-likelihood than the tight setting, by more than 0.1."
    )


def _iterations(usual: Sequence[tuple[str, pd.DataFrame]]) -> list[str]:
    found, alike = list[str](), list[str]()
    for name, own in usual:
        known = _compared(own)
        known = known[known["tight_iterations"] > 0]
        if known.empty:
            continue
        ratios = known["iterations"] / known["tight_iterations"]
        medians = ratios.groupby(known["problem"]).median()
        farthest = str((medians.clip(lower=1e-3).map(math.log)).abs().idxmax())
        ratio = float(medians[farthest])
        if abs(ratio - 1.0) <= ALIKE:
            alike.append(name)
            continue
        found.append(
            f"Fits by {name} take {number(ratio, 2)} times as many iterations as those by the "
            f"tight setting in {farthest}, where they differ most (median over the starts)."
        )
    if alike:
        found.append(
            f"Fits by {listed(alike)} take as many iterations as those by the tight setting, to "
            f"within {100.0 * ALIKE:.0f} %."
        )
    return found


def _either(names: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _line_searches(rows: pd.DataFrame) -> str:
    failed = list[str]()
    for name, _, own in _settings(rows):
        if own["line_search_failed"].any():
            lost = int(own["line_search_failed"].sum())
            failed.append(f"{lost if failed else count(lost, 'fit')} by {name}")
    if not failed:
        return "No fit ends with a failed line search."
    return f"The line search failed at the end of {listed(failed)}."


def _table(rows: pd.DataFrame) -> Table:
    cells = [
        _cells(str(problem), name, judges, own)
        for problem, part in rows.groupby("problem", sort=False)
        for name, judges, own in _settings(part)
    ]
    return Table(heads=HEADS, rows=cells)


def _cells(problem: str, name: str, judges: bool, own: pd.DataFrame) -> list[Cell]:
    known, run = _compared(own), own[own["status"] != "not_run"]
    wrong = int(known["elsewhere"].astype(bool).sum())
    better = int(known["better"].astype(bool).sum())
    solver = str(own["solver"].iloc[0])
    elsewhere = Cell(text="tight setting", note=count(len(known), "end"))
    if not judges:
        verdict = "good" if not wrong else "horrible" if 2 * wrong > len(known) else "bad"
        elsewhere = Cell(
            text=f"{wrong} of {len(known)}" if len(known) else DASH,
            verdict=verdict if len(known) else "",
            note=f"{better} better" if better else "",
        )
    return [
        Cell(text=problem, note=solver),
        Cell(text=name),
        elsewhere,
        Cell(text=number(float(known["distance"].median()), 2) if len(known) else DASH),
        Cell(text=f"{known['iterations'].median():.0f}" if len(known) else DASH),
        Cell(text=str(int(run["calls"].sum()))),
        Cell(text=str(int(run["line_search_failed"].sum()))),
        Cell(text=str(int(run["lost"].sum()))),
    ]
