"""Q3 in sentences, second part: which failures are detected without a reference."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gradaudit.records.labels import indicator_name
from gradaudit.report.numbers import count, number, percent

KINDS = {"indicator": "indicator", "score": "trust score"}

SURE = 0.9
"""Of the gradients that are not good: detected, from here on, is a plain yes."""

NEAR_ONE = 0.995
"""From here on two decimals would say that nothing is missed."""


def answer(skill: pd.DataFrame | None) -> list[str]:
    """Detections, misses and false alarms of the best indicator and score; areas of all.

    Parameters
    ----------
    skill
        One row per indicator: columns indicator, cost, rows, spearman, auc (both with ``_low`` and
        ``_high``), threshold, misses, false_alarms, missed_nonconverging; optionally ``kind``
        (indicator or score) and ``scope``, of which ``all`` is used. None or empty where it was
        not computed.
    """
    if skill is None or skill.empty:
        return ["The skill of the indicators was not computed in this run."]
    rows = skill
    if "scope" in rows:
        scopes = list(dict.fromkeys(rows["scope"]))
        rows = rows[rows["scope"] == ("all" if "all" in scopes else scopes[0])]
    rows = rows[np.isfinite(rows["auc"])].sort_values("auc", ascending=False)
    if rows.empty:
        return ["No indicator could be judged: there are not both good and other gradients."]
    if "kind" not in rows:
        rows = rows.assign(kind="indicator")
    lines = _verdict(rows) + [
        _best(own, noun) for kind, noun in KINDS.items() if len(own := rows[rows["kind"] == kind])
    ]
    digits = 3 if rows["auc"].max() >= NEAR_ONE else 2
    others = [
        f"{indicator_name(str(r['indicator']))} {r['auc']:.{digits}f}" for _, r in rows.iterrows()
    ]
    if len(others) > 1:
        lines.append(f"Areas of all: {'; '.join(others)}.")  # names have commas
    return lines


def _verdict(rows: pd.DataFrame) -> list[str]:
    """The answer in one sentence: how well, and what it costs."""
    known = rows[np.isfinite(rows["misses"]) & np.isfinite(rows["false_alarms"])]
    if known.empty:
        return []
    best = known.iloc[0]
    detected = 1.0 - float(best["misses"])
    word = "Yes" if detected > SURE else "In part"
    cost = f", for {number(best['cost'], 2)} times the cost" if np.isfinite(best["cost"]) else ""
    return [
        f"Can the failure be detected without a reference? {word}: {percent(detected)} of the "
        f"gradients that are not good are detected, with a false alarm on "
        f"{percent(best['false_alarms'])} of the good ones{cost}."
    ]


def _with_interval(row: pd.Series, name: str) -> str:
    """A number, with its interval where there is one."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    digits = 4 if row[name] >= NEAR_ONE else 2
    known = np.isfinite([low, high]).all()
    interval = f" [{low:.{digits}f}, {high:.{digits}f}]" if known else ""
    return f"{row[name]:.{digits}f}{interval}"


def _best(rows: pd.DataFrame, noun: str) -> str:
    best = rows.iloc[0]
    name = indicator_name(str(best["indicator"]))
    text = (
        f"The best of {count(len(rows), noun)} is “{name}”{_meaning(best)}. It separates gradients "
        f"that are not good from the others with an area under the ROC of "
        f"{_with_interval(best, 'auc')}. Its "
        f"rank correlation with the error is {_with_interval(best, 'spearman')} "
        f"({count(int(best['rows']), 'gradient')})"
    )
    if np.isfinite(best["cost"]):
        text += f". The gradient with it costs {number(best['cost'], 2)} times the gradient alone"
    if np.isfinite(best["misses"]) and np.isfinite(best["threshold"]):
        text += (
            f". With the threshold {number(best['threshold'])} it misses "
            f"{percent(best['misses'])} of the gradients that are not good, and raises a false "
            f"alarm on {percent(best['false_alarms'])} of the good ones"
        )
        if np.isfinite(best["missed_nonconverging"]):
            missed = int(best["missed_nonconverging"])
            total = best.get("nonconverging", np.nan)
            of = f" of the {int(total)}" if np.isfinite(total) else ""
            text += (
                f"; among those that it misses are {missed or 'none'}{of} whose tolerance series "
                "does not converge"
            )
    return f"{text}."


def _meaning(row: pd.Series) -> str:
    """What an indicator is, where the table says it; a score is made of the indicators."""
    meaning = row.get("meaning", "")
    told = row["kind"] == "indicator" and isinstance(meaning, str) and meaning
    return f" ({meaning})" if told else ""
