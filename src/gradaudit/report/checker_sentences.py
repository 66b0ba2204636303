"""What common checkers of gradients say of right and wrong gradients: sentences and a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from gradaudit.report.numbers import sentence_case, share
from gradaudit.report.tables import Cell, Table

MARGIN = 0.2
"""Gradients whose error is this close to the limit, relative, are not counted."""
NAMES = {
    "differences": "central differences (best of 8 steps)",
    "check_grads": "jax.test_util.check_grads",
    "fiddy": "fiddy",
}
HEADS = ("checker", "wrong passed", "wrong not decided", "right failed", "right not decided")


def chapter(tables: Sequence[pd.DataFrame], good: float) -> dict[str, Any]:
    """Empty where there is no gradient.

    Parameters
    ----------
    tables
        Of stage checkers, one for each problem.
    good
        Gradients with an error up to it are right.
    """
    rows = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"error": []})
    rows = rows[(rows["error"] / good - 1.0).abs() > MARGIN]
    if rows.empty:
        return {}
    rows = rows.assign(right=rows["error"] <= good)
    counts = {str(name): own for name, own in rows.groupby("checker", sort=False)}
    sentences = [_sentence(name, own) for name, own in counts.items()]
    return {"sentences": sentences, "table": _table(counts)}


def _sentence(name: str, rows: pd.DataFrame) -> str:
    wrong, right = rows[~rows["right"]], rows[rows["right"]]
    checker, parts = NAMES.get(name, name), list[str]()
    for own, kind, outcome in ((wrong, "wrong", "passed"), (right, "right", "failed")):
        if len(own):
            noun = f"{kind} gradient" if not parts else f"{kind} one"
            counted = share(int((own["outcome"] == outcome).sum()), len(own), noun)
            parts.append(f"{counted} {outcome}" + f" {checker}" * (not parts))
    return f"{sentence_case(', and '.join(parts))}."


def _table(counts: dict[str, pd.DataFrame]) -> Table:
    rows = []
    for name, own in counts.items():
        wrong, right = own[~own["right"]], own[own["right"]]
        rows.append(
            [
                Cell(text=NAMES.get(name, name)),
                _cell(wrong, ["passed"]),
                _cell(wrong, ["inconclusive", "not_run"]),
                _cell(right, ["failed"]),
                _cell(right, ["inconclusive", "not_run"]),
            ]
        )
    return Table(heads=HEADS, rows=rows)


def _cell(rows: pd.DataFrame, outcomes: list[str]) -> Cell:
    return Cell(text=f"{int(rows['outcome'].isin(outcomes).sum())} of {len(rows)}")
