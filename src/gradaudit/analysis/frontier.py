"""The cheapest setting that reaches an accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gradaudit.evaluation.verdict import sufficient_tolerance
from gradaudit.records.catalogue import inverse_crimes
from gradaudit.records.numbers import number, tolerance
from gradaudit.records.table import Table

TABLE = Table(
    name="frontier",
    about="the cheapest settings, by wanted accuracy",
    function="cheapest_settings",
    settings=("accuracies",),
)

SETTING = ["solver", "method", "rtol", "error", "work", "steps", "seconds", "verdict"]


USELESS = ("not_converging", "no_derivative", "not_integrated")
"""Reasons of rows whose error is small by luck, if it is, or by no merit of the solver."""

EVERY = "all functionals"
"""In place of a functional: the setting is the cheapest that reaches the accuracy of all."""

CRIME = "the data are the solver's own trace, so that a small error means nothing (inverse crime)"


def cheapest_settings(audits: pd.DataFrame, accuracies: list[float]) -> pd.DataFrame:
    """For every (model, functional, accuracy) the setting of least work that reaches it.

    Work is counted, not timed, so that the choice is the same in every run; `seconds` are given as
    information. A setting counts only if all tighter tolerances reach the accuracy, too, and the
    series does not stay at one error: what is small once, by luck, is no accuracy. `tied` names
    others of the same work. Where none reaches it, `solver` is empty and `reason` says why. Where
    the data are made by the solver itself, none is recommended.

    A model with several functionals has rows of `EVERY`, too, of the largest error in each setting.
    Functionals whose data the solver makes are left out there, and those that no setting can do.
    """
    rows = []
    crimes = inverse_crimes()
    compared = audits[["model", "functional", "kind", *SETTING, "reason", "status"]]
    for (model, functional), group in compared.groupby(["model", "functional"], sort=False):
        false = bool(group["kind"].isin(crimes).any())
        for accuracy in accuracies:
            key = {"model": model, "functional": functional, "accuracy": accuracy}
            rows.append(key | (_none(CRIME) if false else _cheapest(group, accuracy)))
    able = compared[~compared["kind"].isin(crimes) & _is_useful(compared)]
    for model, group in compared.groupby("model", sort=False):
        names = able.loc[able["model"] == model, "functional"].unique()
        if len(names) > 1:
            largest = _largest(group[group["functional"].isin(names)])
            for accuracy in accuracies:
                key = {"model": model, "functional": EVERY, "accuracy": accuracy}
                rows.append(key | _cheapest(largest, accuracy))
    return pd.DataFrame(rows)


def _is_useful(table: pd.DataFrame) -> pd.Series:
    return (table["status"] == "ok") & ~table["reason"].isin(USELESS)


def _largest(table: pd.DataFrame) -> pd.DataFrame:
    """Of every setting the row of the functional with the largest error; that may be unknown."""
    ranked = table.assign(_error=table["error"].fillna(np.inf))
    rows = ranked.groupby(["solver", "method", "rtol"], sort=False)["_error"].idxmax()
    return table.loc[rows]


def _cheapest(group: pd.DataFrame, accuracy: float) -> dict[str, Any]:
    reaching = _reaching(group, accuracy)
    if reaching.empty:
        return _none(_why_none(group, accuracy))
    # A solver that counts no steps comes last; of equal work the first of the configuration.
    ranked = reaching.sort_values("work", kind="stable", na_position="last")
    best, *others = ranked.to_dict("records")
    tied = dict.fromkeys(
        f"{row['solver']} {row['method']}" for row in others if row["work"] == best["work"]
    )
    tied.pop(f"{best['solver']} {best['method']}", None)
    return {**{name: best[name] for name in SETTING}, "tied": ", ".join(tied), "reason": ""}


def _reaching(group: pd.DataFrame, accuracy: float) -> pd.DataFrame:
    """Rows that reach the accuracy, and do so at all tighter tolerances."""
    useful = group[~group["reason"].isin(USELESS)]
    series = useful.groupby(["solver", "method"], sort=False)
    loosest = {
        name: sufficient_tolerance(own["rtol"].tolist(), own["error"].tolist(), accuracy)
        for name, own in series
    }
    names = zip(useful["solver"], useful["method"], strict=True)
    limits = np.array([loosest[name] for name in names])
    return useful[(useful["error"] <= accuracy) & (useful["rtol"] <= limits)]


def _none(reason: str) -> dict[str, Any]:
    words = {"solver": "", "method": "", "verdict": ""}
    return {name: words.get(name, float("nan")) for name in SETTING} | {
        "tied": "",
        "reason": reason,
    }


def _why_none(group: pd.DataFrame, accuracy: float) -> str:
    solved = group[group["status"] == "ok"]
    if solved.empty:
        statuses = ", ".join(sorted(set(group["status"])))
        return f"every solve failed ({statuses})"
    useful = solved[~solved["reason"].isin(USELESS)]
    if useful.empty:
        return "no setting converges as the tolerance is tightened"
    least = useful["error"].min()
    if least <= accuracy:
        return f"no setting has errors up to {tolerance(accuracy)} at all tighter tolerances"
    return f"the best converging error is {number(least, 2)}, above {tolerance(accuracy)}"
