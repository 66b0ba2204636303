"""Q3 in sentences, second part: which failures are detected without a reference."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gradaudit.records.labels import indicator_name
from gradaudit.report.numbers import count, number, percent

KINDS = {"indicator": "indicator", "score": "trust score"}


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
    lines = [
        _best(own, noun) for kind, noun in KINDS.items() if len(own := rows[rows["kind"] == kind])
    ]
    others = [f"{indicator_name(str(r['indicator']))} {r['auc']:.2f}" for _, r in rows.iterrows()]
    if len(others) > 1:
        lines.append(f"Areas of all: {'; '.join(others)}.")  # names have commas
    return lines


def _with_interval(row: pd.Series, name: str) -> str:
    """A number, with its interval where there is one."""
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    interval = f" [{low:.2f}, {high:.2f}]" if np.isfinite([low, high]).all() else ""
    return f"{row[name]:.2f}{interval}"


def _best(rows: pd.DataFrame, noun: str) -> str:
    best = rows.iloc[0]
    name = indicator_name(str(best["indicator"]))
    text = (
        f"The best of {count(len(rows), noun)} is “{name}”. It separates gradients that are not "
        f"good from the others with an area under the ROC of {_with_interval(best, 'auc')}. Its "
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
            text += (
                f"; of those that it misses {missed or 'none'} belong to tolerance series that do "
                "not converge"
            )
    return f"{text}."
