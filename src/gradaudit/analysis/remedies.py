"""What corrects a gradient that is not good, as measured: one thing is changed at a time (Q3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.analysis.audit_rows import HARMFUL, axes_of, prepared, working
from gradaudit.records.catalogue import inverse_crimes
from gradaudit.records.labels import method_name
from gradaudit.records.table import Table
from gradaudit.records.usual import CONTROL

TABLE = Table(
    name="remedies",
    about="what improves a gradient that is not good",
    function="remedies",
)

REMEDIES = {
    "tolerance": "tighter tolerance",
    "control": "",
    "implicit": "implicit method",
    "saltation": "event handling",
    "clip": "steps clipped to the observations",
    "plain": "plain solver settings",
    "equal": "equal steps",
    "functional": "another functional",
    "window": "shorter window",
}
"""Remedy to what it does, in the order in which they are shown; `remedy_name` names all."""

TIGHT = 1e-9
"""The tolerance of the remedy; the tightest where the tolerance series ends before."""

COLUMNS = [
    "model", "mechanism", "functional", "kind", "solver", "rtol", "remedy", "tried", "changed",
    "verdict_before", "reason_before", "converging_before", "error_before", "work_before",
    "verdict_after", "error_after", "work_after", "factor", "cost",
]  # fmt: skip

SUMMARY = ["mechanism", "remedy", "baselines", "tried", "good", "share", "factor", "cost"]


def remedy_name(remedy: str) -> str:
    """What people call a remedy; that of ``control`` is a method, which the catalogue names."""
    return REMEDIES[remedy] or method_name(CONTROL)


def remedies(audits: pd.DataFrame) -> pd.DataFrame:
    """Every remedy for every gradient of plain forward AD that is not good.

    The baseline is forward AD by an explicit solver, as it comes, at the tolerance that is nearest
    to 1e-6; and any solver in a setting that is known to harm, such as single precision. A remedy
    is the row of the audits that differs from it in that one thing.

    Parameters
    ----------
    audits
        Of stage atlas.

    Returns
    -------
    DataFrame
        One row per (baseline, remedy): errors, verdicts and counted work before and after;
        ``factor`` is the error before over that after, ``cost`` the work after over that before,
        both NaN where a solve failed; ``changed`` says what was changed into what. Where the audits
        have no such row ``tried`` is false.
    """
    if audits.empty:
        return pd.DataFrame(columns=COLUMNS)
    table = prepared(audits)
    now = working(table[table["method"] == "forward_ad"])
    usual = (now["stepping"] == "explicit") & (now["variant"] == "")
    baselines = now[(usual | now["variant"].str.contains(HARMFUL)) & (now["verdict"] != "good")]
    by_model = {str(name): rows for name, rows in table.groupby("model", sort=False)}
    rows = []
    for baseline in baselines.to_dict("records"):
        own = by_model[str(baseline["model"])]
        for remedy, find in _FINDERS.items():
            remedied = find(baseline, table if remedy == "window" else own)
            rows.append(_effect(baseline, remedy, remedied))
    return pd.DataFrame(rows, columns=COLUMNS)


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """By mechanism and remedy: how often it was tried, and how often the result is good.

    The mechanism ``all`` is over everything; ``factor`` and ``cost`` are medians over what became
    good, or over what was tried where nothing did; mechanisms stand in the order in which the table
    has them.
    """
    if table.empty:
        return pd.DataFrame(columns=SUMMARY)
    groups = [("all", table), *table.groupby("mechanism", sort=False)]
    rows = []
    for mechanism, group in groups:
        for remedy in REMEDIES:
            own = group[group["remedy"] == remedy]
            tried = own[own["tried"].astype(bool)]
            corrected = tried[tried["verdict_after"] == "good"]
            good = len(corrected)
            counted = corrected if good else tried
            rows.append(
                {
                    "mechanism": mechanism,
                    "remedy": remedy,
                    "baselines": len(own),
                    "tried": len(tried),
                    "good": good,
                    "share": good / len(tried) if len(tried) else np.nan,
                    "factor": _median(counted["factor"]),
                    "cost": _median(counted["cost"]),
                }
            )
    return pd.DataFrame(rows, columns=SUMMARY)


Row = dict[Any, Any]


def _same(baseline: Row, table: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Rows that agree with the baseline in some columns."""
    agree = pd.Series(True, index=table.index)
    for name in names:
        agree &= table[name] == baseline[name]
    return table[agree]


def _tolerance(baseline: Row, own: pd.DataFrame) -> Row | None:
    rows = _same(baseline, own, "solver", "method", "functional")
    tighter = rows[rows["rtol"] < baseline["rtol"] * 0.99]
    if tighter.empty:
        return None
    enough = tighter[tighter["rtol"] >= TIGHT * 0.99]
    row = (
        enough.loc[enough["rtol"].idxmin()]
        if len(enough)
        else tighter.loc[tighter["rtol"].idxmax()]
    )
    return row.to_dict() | {"changed": f"rtol {row['rtol']:.0e}".replace("e-0", "e-")}


def _method(name: str) -> Callable[[Row, pd.DataFrame], Row | None]:
    def find(baseline: Row, own: pd.DataFrame) -> Row | None:
        rows = _same(baseline, own, "solver", "rtol", "functional")
        return _first(rows[rows["method"] == name], f"method {name}")

    return find


def _implicit(baseline: Row, own: pd.DataFrame) -> Row | None:
    if baseline["stepping"] == "implicit":
        return None
    rows = _same(baseline, own, "method", "rtol", "functional", "variant")
    rows = rows[rows["stepping"] == "implicit"].sort_values("error")
    return _first(rows, f"solver {rows['solver'].iloc[0]}" if len(rows) else "")


def _variant(pattern: str) -> Callable[[Row, pd.DataFrame], Row | None]:
    """The same solver in another variant, whose text matches a pattern."""

    def find(baseline: Row, own: pd.DataFrame) -> Row | None:
        rows = _same(baseline, own, "base_solver", "method", "rtol", "functional")
        rows = rows[rows["variant"].str.contains(pattern)]
        rows = rows[rows["variant"] != baseline["variant"]]
        return _first(rows, f"solver {rows['solver'].iloc[0]}" if len(rows) else "")

    return find


def _functional(baseline: Row, own: pd.DataFrame) -> Row | None:
    rows = _same(baseline, own, "solver", "method", "rtol")
    rows = rows[rows["informative"] & ~rows["kind"].isin(inverse_crimes())]
    rows = rows[rows["kind"] != baseline["kind"]].sort_values("error")
    rows = pd.concat([rows[rows["verdict"] == "good"], rows[rows["verdict"] != "good"]])
    return _first(rows, f"functional {rows['functional'].iloc[0]}" if len(rows) else "")


def _window(baseline: Row, table: pd.DataFrame) -> Row | None:
    """The longest of the shorter windows that is good, or else the shortest."""
    base, setting = axes_of(str(baseline["model"]))
    if "t_end" not in setting:
        return None
    others = {name: value for name, value in setting.items() if name != "t_end"}
    shorter = {}
    for model in table["model"].unique():
        name, own = axes_of(str(model))
        end = own.pop("t_end", np.inf)
        if name == base and own == others and end < setting["t_end"]:
            shorter[model] = end
    rows = _same(baseline, table, "solver", "method", "rtol", "functional")
    rows = rows[rows["model"].isin(list(shorter))]
    rows = rows.assign(_end=rows["model"].map(shorter)).sort_values("_end", ascending=False)
    good = rows[rows["verdict"] == "good"]
    chosen = good if len(good) else rows.iloc[::-1]
    return _first(chosen, f"t_end {chosen['_end'].iloc[0]:g}" if len(chosen) else "")


_FINDERS: dict[str, Callable[[Row, pd.DataFrame], Row | None]] = {
    "tolerance": _tolerance,
    "control": _method("forward_sensitivity"),
    "implicit": _implicit,
    "saltation": _method("saltation"),
    "clip": _variant("observe=clip"),
    "plain": _variant("^$"),
    "equal": _variant("^steps=|, steps="),
    "functional": _functional,
    "window": _window,
}


def _first(rows: pd.DataFrame, changed: str) -> Row | None:
    return rows.iloc[0].to_dict() | {"changed": changed} if len(rows) else None


def _effect(baseline: Row, remedy: str, remedied: Row | None) -> Row:
    names = ["model", "mechanism", "functional", "kind", "solver", "rtol"]
    before = {
        f"{name}_before": baseline.get(name)
        for name in ("verdict", "reason", "converging", "error")
    }
    start = {name: baseline[name] for name in names} | before
    start |= {
        "remedy": remedy,
        "work_before": baseline["work"],
        "tried": remedied is not None,
    }
    if remedied is None:
        return start | {"changed": "", "verdict_after": ""}
    return start | {
        "changed": remedied["changed"],
        "verdict_after": remedied["verdict"],
        "error_after": remedied["error"],
        "work_after": remedied["work"],
        # Errors of two functionals are those of two gradients: they have no ratio.
        "factor": _over(baseline["error"], remedied["error"]) if remedy != "functional" else np.nan,
        "cost": _cost(baseline, remedied),
    }


def _cost(baseline: Row, remedied: Row) -> float:
    """The work of a solve that failed is that of the steps until then, and compares with none."""
    solved = baseline["status"] == remedied["status"] == "ok"
    return _over(remedied["work"], baseline["work"]) if solved else float("nan")


def _over(above: float, below: float) -> float:
    if not (np.isfinite(above) and np.isfinite(below)) or above <= 0.0:
        return float("nan")
    return above / max(below, 1e-17)


def _median(values: pd.Series) -> float:
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    return float(np.median(numbers)) if len(numbers) else float("nan")
