"""A checklist for the modeller; each item refers to measured numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradaudit.analysis.functional_ranking import EVERYWHERE
from gradaudit.analysis.remedies import summary
from gradaudit.model.mechanism import Trait, having
from gradaudit.records.labels import method_name
from gradaudit.records.usual import CONTROL
from gradaudit.report import law_sentences
from gradaudit.report.numbers import count, number, percent, proportion, sentence_case, series

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
    """The items that the data support, in the order in which a modeller needs them."""
    summed = summary(remedies)
    items = [
        _tolerance(laws, good),
        _rest(summed),
        _events(summed),
        _oscillation(summed),
        _count(ranking),
        _own_trace(ranking),
        _implicit(summed),
        _converges(remedies),
    ]
    return [item for item in items if item is not None]


def _tolerance(laws: pd.DataFrame, good: float) -> Item | None:
    rule = law_sentences.ladder_rule(laws, good) if len(laws) else ""
    state = law_sentences.pooled(laws, "state_error") if rule else None
    if state is None or state["ratio"] <= 1.0:
        return None
    return Item(
        do="Use a tighter tolerance than the states alone need.", why=rule, anchor="figure-laws"
    )


def _rest(summed: pd.DataFrame) -> Item | None:
    compared = _compare(summed, having(Trait.AT_REST), "control", "tolerance")
    if compared is None or not compared.first_is_better:
        return None
    control = method_name(CONTROL)
    return Item(
        do=f"If the model starts or stays long at rest, use {control}.",
        why=f"{sentence_case(control)} corrects {compared.first}, a tighter tolerance "
        f"{compared.second}.",
        anchor="figure-remedies",
    )


def _events(summed: pd.DataFrame) -> Item | None:
    compared = _compare(summed, having(Trait.EVENTS), "saltation", "tolerance")
    if compared is None or not compared.first_is_better:
        return None
    return Item(
        do="If anything switches, jumps or resets, declare the events, and differentiate through "
        "them.",
        why=f"Event handling corrects {compared.first}, a tighter tolerance {compared.second}.",
        anchor="figure-remedies",
    )


def _oscillation(summed: pd.DataFrame) -> Item | None:
    compared = _compare(summed, having(Trait.AMPLIFYING), "tolerance", "control")
    if compared is None:
        return None
    control = method_name(CONTROL)
    advice = "first use a tighter tolerance." if compared.first_is_better else f"use {control}."
    return Item(
        do=f"If the model oscillates, bursts or amplifies perturbations, {advice}",
        why=f"A tighter tolerance corrects {compared.first}, {control} {compared.second}.",
        anchor="figure-remedies",
    )


def _count(ranking: pd.DataFrame) -> Item | None:
    rows = ranking[(ranking["scope"] == EVERYWHERE) & (ranking["best_horrible"] >= 1.0)]
    if rows.empty:
        return None
    ladders = int(rows["ladders"].sum())
    return Item(
        do="Never differentiate a count; differentiate the times of the events instead.",
        why=f"Of {series(ladders)} of counts none gives a useful gradient, by any method.",
        anchor="figure-ranking",
    )


def _own_trace(ranking: pd.DataFrame) -> Item | None:
    rows = ranking[(ranking["scope"] == EVERYWHERE) & (ranking["kind"] == "solver_target")]
    if rows.empty or rows["good"].iloc[0] > 0.5:
        return None
    row = rows.iloc[0]
    good = proportion(float(row["good"]), int(row["ladders"]))
    rank = (
        f"; the median rank of the error is {row['position']:.2f} (0: the smallest among the "
        "functionals of a solve, 1: the largest)"
        if np.isfinite(row["position"])
        else ""
    )
    return Item(
        do="Do not test a gradient on data that the same solver made.",
        why="With data of the same solve the residual is zero, and so is the gradient, at every "
        "tolerance and whatever the tangents are: the test passes. With data of the same solver at "
        f"another tolerance {good}{'' if ' of ' in good else ' of the'} tolerance series are good "
        f"by forward AD{rank}.",
        anchor="figure-ranking",
    )


def _implicit(summed: pd.DataFrame) -> Item | None:
    rows = summed[(summed["mechanism"] == "all") & (summed["remedy"] == "implicit")]
    compared = _compare(summed, ["all"], "implicit", "tolerance")
    if rows.empty or compared is None or compared.first_is_better:
        return None
    row = rows.iloc[0]
    return Item(
        do="Use an implicit method for stiffness, not to improve the gradient.",
        why=f"It corrects {row['good']} of {row['tried']} gradients, at {number(row['cost'], 2)} "
        "times the work in the median of those corrected.",
        anchor="figure-remedies",
    )


def _converges(remedies: pd.DataFrame) -> Item | None:
    """Gradients that are not good, and that a tighter tolerance does not change."""
    rows = remedies[(remedies["remedy"] == "tolerance") & remedies["tried"].astype(bool)]
    if rows.empty:
        return None
    factor = pd.to_numeric(rows["factor"], errors="coerce").to_numpy(dtype=float)
    same = int((np.abs(factor - 1.0) < SAME).sum())
    if not same:
        return None
    return Item(
        do="Agreement between two tolerances does not show that a gradient is correct.",
        why=f"{same} of {count(len(rows), 'gradient')} not good at the tolerance nearest to 1e-6 "
        f"{'has' if same == 1 else 'have'} the same error at a tighter one, to within "
        f"{percent(SAME)}: where the error does not fall, two gradients can agree and both be "
        "wrong.",
        anchor="q3",
    )


@dataclass(frozen=True, kw_only=True)
class _Compared:
    """What two remedies correct, in words, and whether the first corrects more."""

    first: str
    second: str
    first_is_better: bool


def _compare(
    summed: pd.DataFrame, mechanisms: list[str], first: str, second: str
) -> _Compared | None:
    rows = summed[summed["mechanism"].isin(mechanisms)]
    counts, shares = [], []
    for remedy in (first, second):
        own = rows[rows["remedy"] == remedy]
        good, tried = int(own["good"].sum()), int(own["tried"].sum())
        if not tried:
            return None
        counts.append(f"{good} of {tried}")
        shares.append(good / tried)
    return _Compared(first=counts[0], second=counts[1], first_is_better=shares[0] > shares[1])
