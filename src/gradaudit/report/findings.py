"""What a figure shows, as the sentence that its caption begins with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gradaudit.analysis.functional_ranking import EVERYWHERE as EVERY_MODEL
from gradaudit.analysis.remedies import remedy_name, summary
from gradaudit.analysis.scaling_laws import EVERYWHERE
from gradaudit.records.labels import indicator_name, ranked_name
from gradaudit.report import law_sentences
from gradaudit.report.literature import Facts
from gradaudit.report.numbers import listed, number, percent

FEW = 10
"""Tolerance series of a kind of functionals, or gradients that a remedy was tried on.

What has fewer is not named as the best or the worst.
"""


def findings(facts: Facts, skill: pd.DataFrame | None) -> dict[str, str]:
    """By figure; one of which the tables say nothing is missing."""
    candidates = {
        "laws": _laws(facts.laws),
        "laws_axes": _axes(facts.laws),
        "ranking": _ranking(facts.ranking),
        "remedies": _remedies(facts.remedies),
        "skill": _skill(skill),
        "trust": _trust(skill),
    }
    return {figure: sentence for figure, sentence in candidates.items() if sentence}


def _laws(laws: pd.DataFrame) -> str:
    row = law_sentences.pooled(laws, "state_error") if len(laws) else None
    if row is None:
        return ""
    return (
        f"The gradient has {number(row['ratio'], 2)} times the error of the states in the median, "
        "where it converges."
    )


def _axes(laws: pd.DataFrame) -> str:
    """On which model the error grows with the window exponentially, and on which as a power."""
    rows = laws[
        (laws["law"] == "window") & (laws["method"] == "forward_ad") & (laws["status"] == "ok")
    ]
    rows = rows[rows["low"] > 0.0]
    fast = rows["form"] == "exponential"
    parts = [
        f"{words} on {listed(sorted(set(own['model'])))}"
        for words, own in (("exponentially", rows[fast]), ("as a power", rows[~fast]))
        if len(own)
    ]
    return f"The error grows with the window {listed(parts)}." if parts else ""


def _ranking(ranking: pd.DataFrame) -> str:
    rows = ranking[(ranking["scope"] == EVERY_MODEL) & ranking["position"].notna()]
    rows = rows[rows["ladders"] >= FEW].sort_values("position")
    if len(rows) < 2:
        return ""
    first, last = (ranked_name(rows.iloc[k]["kind"]) for k in (0, -1))
    return (
        f"Of the kinds with at least {FEW} tolerance series, the error of the {first} ranks lowest "
        f"within its solve in the median, that of the {last} highest."
    )


def _remedies(remedies: pd.DataFrame) -> str:
    summed = summary(remedies)
    rows = summed[(summed["mechanism"] == EVERYWHERE) & (summed["tried"] >= FEW)]
    rows = rows[rows["remedy"] != "functional"].sort_values("share", ascending=False)
    if len(rows) < 2 or rows["share"].iloc[0] == rows["share"].iloc[-1]:
        return ""
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        f"Of the changes tried at least {FEW} times, without that of the functional, "
        f"{remedy_name(first['remedy'])} corrects the largest share, {percent(first['share'])}, "
        f"and {remedy_name(last['remedy'])} the smallest, {percent(last['share'])}."
    )


def _skill(skill: pd.DataFrame | None) -> str:
    rows = _judged(skill, "indicator")
    if len(rows) < 2:
        return ""
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        f"“{indicator_name(str(first['indicator']))}” tells good gradients from others best (area "
        f"{first['auc']:.3f}), “{indicator_name(str(last['indicator']))}” worst "
        f"({last['auc']:.3f}; 0.5 is chance)."
    )


def _trust(skill: pd.DataFrame | None) -> str:
    rows = _judged(skill, "score")
    if rows.empty or not np.isfinite(float(rows.iloc[0]["threshold"])):
        return ""
    return (
        f"The best score misses {percent(rows.iloc[0]['misses'])} of the gradients that are not "
        f"good, and doubts {percent(rows.iloc[0]['false_alarms'])} of the good ones."
    )


def _judged(skill: pd.DataFrame | None, kind: str) -> pd.DataFrame:
    """Indicators or scores over everything, the best first."""
    if skill is None or skill.empty or not {"kind", "scope"} <= set(skill.columns):
        return pd.DataFrame()
    rows = skill[(skill["kind"] == kind) & (skill["scope"] == EVERYWHERE)]
    return rows[rows["auc"].notna()].sort_values("auc", ascending=False)
