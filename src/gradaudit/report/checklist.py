"""A check-list for the modeller; each item refers to what was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradaudit.analysis.functional_ranking import EVERYWHERE
from gradaudit.analysis.remedies import summary
from gradaudit.model.mechanism import Trait, having
from gradaudit.report import law_sentences
from gradaudit.report.numbers import count, number, percent

SAME = 0.01
"""Two errors that differ by less are the same."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """What to do, why (with numbers), and where on the page these come from."""

    do: str
    why: str
    anchor: str


def checklist(
    *, laws: pd.DataFrame, ranking: pd.DataFrame, remedies: pd.DataFrame, good: float
) -> list[Item]:
    """The items that the data support, in the order in which a modeller meets them."""
    summed = summary(remedies)
    found = [
        _tolerance(laws, good),
        _rest(summed),
        _events(summed),
        _oscillation(summed),
        _count(ranking),
        _own_trace(ranking),
        _implicit(summed),
        _converges(remedies),
    ]
    return [item for item in found if item is not None]


def _tolerance(laws: pd.DataFrame, good: float) -> Item | None:
    rule = law_sentences.ladder_rule(laws, good) if len(laws) else ""
    state = law_sentences.pooled(laws, "state_error") if rule else None
    if state is None or state["ratio"] <= 1.0:
        return None
    return Item(
        do="Solve more tightly than the states alone would need.", why=rule, anchor="figure-laws"
    )


def _rest(summed: pd.DataFrame) -> Item | None:
    told = _compare(summed, having(Trait.AT_REST), "control", "tolerance")
    if told is None or not told.first_is_better:
        return None
    return Item(
        do="Does the model start at rest, or rest for long? Put the tangents into the error test.",
        why=f"There error control of the tangents mends {told.first}, a tighter tolerance "
        f"{told.second}.",
        anchor="figure-remedies",
    )


def _events(summed: pd.DataFrame) -> Item | None:
    told = _compare(summed, having(Trait.EVENTS), "saltation", "tolerance")
    if told is None or not told.first_is_better:
        return None
    return Item(
        do="Does anything switch, jump or reset? Declare the events, and differentiate through "
        "them.",
        why=f"Event handling mends {told.first}, a tighter tolerance {told.second}.",
        anchor="figure-remedies",
    )


def _oscillation(summed: pd.DataFrame) -> Item | None:
    told = _compare(summed, having(Trait.AMPLIFYING), "tolerance", "control")
    if told is None:
        return None
    advice = (
        "Tighten the tolerance before anything else."
        if told.first_is_better
        else "Put the tangents into the error test."
    )
    return Item(
        do=f"Does it oscillate, burst or amplify? {advice}",
        why=f"There a tighter tolerance mends {told.first}, error control of the tangents "
        f"{told.second}.",
        anchor="figure-remedies",
    )


def _count(ranking: pd.DataFrame) -> Item | None:
    rows = ranking[(ranking["scope"] == EVERYWHERE) & (ranking["best_horrible"] >= 1.0)]
    if rows.empty:
        return None
    ladders = int(rows["ladders"].sum())
    return Item(
        do="Never differentiate a count; differentiate the times of the events instead.",
        why=f"Of {count(ladders, 'ladder')} of counts by forward AD none is useful, by no method.",
        anchor="figure-ranking",
    )


def _own_trace(ranking: pd.DataFrame) -> Item | None:
    rows = ranking[(ranking["scope"] == EVERYWHERE) & (ranking["kind"] == "solver_target")]
    if rows.empty or rows["good"].iloc[0] > 0.5:
        return None
    row = rows.iloc[0]
    place = f", at the place {row['position']:.2f}" if np.isfinite(row["position"]) else ""
    return Item(
        do="Do not test a gradient on data that the same solver made.",
        why=f"A sum of squares to the solver's own trace is good on {percent(row['good'])} of its "
        f"ladders by forward AD{place} (1 is the least accurate functional of a solve); a small "
        "residual makes a small gradient, right or wrong.",
        anchor="figure-ranking",
    )


def _implicit(summed: pd.DataFrame) -> Item | None:
    rows = summed[(summed["mechanism"] == "all") & (summed["remedy"] == "implicit")]
    told = _compare(summed, ["all"], "implicit", "tolerance")
    if rows.empty or told is None or told.first_is_better:
        return None
    row = rows.iloc[0]
    return Item(
        do="Take an implicit method for stiffness, not for the gradient's sake.",
        why=f"It mends {row['good']} of {row['tried']} gradients, at {number(row['cost'], 2)} "
        "times the time in the median.",
        anchor="figure-remedies",
    )


def _converges(remedies: pd.DataFrame) -> Item | None:
    """Gradients that a tighter tolerance leaves as they are, wrong."""
    rows = remedies[(remedies["remedy"] == "tolerance") & remedies["tried"].astype(bool)]
    if rows.empty:
        return None
    factor = pd.to_numeric(rows["factor"], errors="coerce").to_numpy(dtype=float)
    same = int((np.abs(factor - 1.0) < SAME).sum())
    if not same:
        return None
    return Item(
        do="Look at more than agreement between tolerances.",
        why=f"Of {count(len(rows), 'wrong gradient')} at the working tolerance {same} "
        f"{'has' if same == 1 else 'have'} the same error at a tighter one, within "
        f"{percent(SAME)}: the two agree, and are wrong.",
        anchor="q3",
    )


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """What two remedies mend, in words, and whether the first mends more."""

    first: str
    second: str
    first_is_better: bool


def _compare(
    summed: pd.DataFrame, mechanisms: list[str], first: str, second: str
) -> _Compared | None:
    rows = summed[summed["mechanism"].isin(mechanisms)]
    told, shares = [], []
    for remedy in (first, second):
        own = rows[rows["remedy"] == remedy]
        good, tried = int(own["good"].sum()), int(own["tried"].sum())
        if not tried:
            return None
        told.append(f"{good} of {tried}")
        shares.append(good / tried)
    return _Compared(first=told[0], second=told[1], first_is_better=shares[0] > shares[1])
