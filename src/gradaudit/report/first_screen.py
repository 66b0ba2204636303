"""The first screen: each question with its conclusion, three numbers and a small picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gradaudit.analysis.functional_ranking import EVERYWHERE
from gradaudit.analysis.remedies import remedy_name, summary
from gradaudit.analysis.scaling_laws import EVERYWHERE as EVERY_MECHANISM
from gradaudit.records.catalogue import inverse_crimes
from gradaudit.records.labels import ranked_name
from gradaudit.report import law_sentences
from gradaudit.report.literature import Facts, Reference, agreement, compared
from gradaudit.report.numbers import (
    grouped,
    listed,
    number,
    percent,
    proportion,
    tolerance,
)
from gradaudit.report.sentences import USUAL, share_within

FEW = 10
"""Of tolerance series, or of gradients: a share of fewer is not put on the first screen."""


FAILING = "gradients by explicit solvers"
"""To which a change is made, to see whether it helps."""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a picture: its name, its length from 0 to 1, and the number at its end."""

    name: str
    length: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """A question on the first screen.

    Attributes
    ----------
    key
        The place of the page with the evidence.
    question, conclusion
        One sentence each.
    numbers
        Pairs of a number and what it counts.
    bars, caption
        The picture, and what its bars are.
    links
        Further places of the page, each with its name.
    """

    key: str
    question: str
    conclusion: str
    numbers: Sequence[tuple[str, str]] = ()
    bars: Sequence[Bar] = ()
    caption: str = ""
    links: Sequence[tuple[str, str]] = ()


def cards(facts: Facts, references: list[Reference], *, good: float) -> list[Card]:
    """One for each of the four questions."""
    return [
        _laws(facts.laws, facts.verdicts),
        functionals(facts.ranking),
        _remedies(facts, good),
        _literature(references, facts),
    ]


def _laws(laws: pd.DataFrame, verdicts: pd.DataFrame) -> Card:
    question = "Is the gradient as accurate as the solution?"
    state = law_sentences.pooled(laws, "state_error") if len(laws) else None
    if state is None:
        return Card(key="q1", question=question, conclusion="Too few gradients for a law.")
    ratio = float(state["ratio"])
    forward = verdicts[(verdicts["method"] == "forward_ad") & ~verdicts["zero"].astype(bool)]
    stuck = int((~forward["converging"].astype(bool)).sum())
    answer = "No, it is less accurate" if ratio > 1.0 else "Yes, it is no less accurate"
    rows = laws[
        (laws["law"] == "state_error")
        & (laws["method"] == "forward_ad")
        & (laws["status"] == "ok")
        & (laws["mechanism"] != EVERY_MECHANISM)
    ].sort_values("ratio")
    ends = [rows.iloc[0], rows.iloc[-1]] if len(rows) > 1 else []
    factors = [(str(row["mechanism"]), float(row["ratio"])) for row in ends]
    factors.insert(1, ("all, in the median", ratio))
    longest = max(math.log10(max(value, 1.0)) for _, value in factors) or 1.0
    return Card(
        key="q1",
        question=question,
        conclusion=(
            f"{answer}: where forward AD converges, the error of the gradient is "
            f"{number(ratio, 2)} times that of the states in the median. The two fall together."
        ),
        numbers=[
            (f"{number(ratio, 2)} ×", "the error of the states, in the median"),
            (
                f"{state['exponent']:.2f}",
                "exponent of the error of the states (1: proportional)",
            ),
            (f"{stuck} of {len(forward)}", "tolerance series of forward AD do not converge"),
        ],
        bars=[
            Bar(
                name=name,
                length=max(math.log10(max(value, 1.0)) / longest, 0.02),
                text=f"{number(value, 2)} ×",
            )
            for name, value in factors
        ],
        caption="error of the gradient over that of the states, by mechanism (logarithmic)",
    )


def functionals(ranking: pd.DataFrame) -> Card:
    """Q2: the kinds of functionals with the most and the least accurate gradients."""
    question = "Which quantities have accurate gradients?"
    crimes = inverse_crimes()
    rows = ranking[ranking["scope"] == EVERYWHERE]
    made = bool(rows["kind"].isin(crimes).any())
    rows = rows[~rows["kind"].isin(crimes)]
    many = rows["ladders"] >= FEW
    few = bool(many.any() and not many.all())
    rows = rows[many] if few else rows
    rows = rows.sort_values(["good", "horrible"], ascending=[False, True])
    if rows.empty:
        return Card(key="q2", question=question, conclusion="Nothing was audited.")
    first, last = _tied(rows, rows.iloc[0]), _tied(rows, rows.iloc[-1])
    owner = "its" if len(first) == 1 else "their"
    among = f"Of the kinds with at least {FEW} series, most" if few else "Most"
    conclusion = (
        f"{among} often {_the(first)}: by forward AD {_share(first, 'good')} of "
        f"{owner} tolerance series are good."
    )
    if len(first) < len(rows):
        conclusion += (
            f" Least often {_the(last)}: {_share(last, 'good')}, or "
            f"{_share(last, 'best_good')} by the best method."
        )
    shown = rows if len(rows) < 6 else pd.concat([rows.head(3), rows.tail(2)])
    return Card(
        key="q2",
        question=question,
        conclusion=conclusion,
        numbers=[
            (proportion(row["good"], int(row["ladders"])), f"good: {ranked_name(row['kind'])}")
            for row in rows.iloc[sorted({0, len(rows) // 2, len(rows) - 1})].to_dict("records")
        ],
        bars=[
            Bar(
                name=ranked_name(row["kind"]),
                length=float(row["good"]),
                text=proportion(row["good"], int(row["ladders"])),
            )
            for row in shown.to_dict("records")
        ],
        caption="share of tolerance series that are good by forward AD" + _left_out(few, made),
        links=[("functionals", "What these quantities are")],
    )


def _left_out(few: bool, made: bool) -> str:
    """Which kinds the picture does not show."""
    parts = [
        *[f"with fewer than {FEW} series"] * few,
        *["whose data the solver makes itself"] * made,
    ]
    return f"; without kinds {' and those '.join(parts)}" if parts else ""


def _tied(rows: pd.DataFrame, one: pd.Series) -> pd.DataFrame:
    """The rows whose shares are those of one of them."""
    return rows[(rows[["good", "horrible"]] == one[["good", "horrible"]].to_numpy()).all(axis=1)]


def _the(rows: pd.DataFrame) -> str:
    return listed([f"the {ranked_name(kind)}" for kind in rows["kind"]])


def _share(rows: pd.DataFrame, column: str) -> str:
    """A share of the tolerance series of some kinds together."""
    total = int(rows["ladders"].sum())
    return proportion(float(np.average(rows[column], weights=rows["ladders"])), total)


def _remedies(facts: Facts, good: float) -> Card:
    question = "Where does forward AD fail, and what helps?"
    shares = [(rtol, *share_within(facts.audits, rtol, good)) for rtol in USUAL]
    within = [
        (proportion(share, rows), f"within {percent(good)} at rtol {tolerance(rtol)}")
        for rtol, share, rows in shares
        if rows
    ]
    if facts.remedies.empty:
        return Card(
            key="q3",
            question=question,
            conclusion="Every gradient of forward AD is good at the tolerance nearest to 1e-6.",
            numbers=within,
        )
    summed = summary(facts.remedies)
    every = summed[(summed["mechanism"] == "all") & (summed["tried"] > 0)]
    tighter = every[every["remedy"] == "tolerance"]
    others = every[~every["remedy"].isin(["tolerance", "functional", "window"])]
    others = others[others["tried"] >= min(FEW, int(others["tried"].max() if len(others) else 0))]
    others = others.sort_values("share", ascending=False)
    parts = []
    if len(tighter):
        row = tighter.iloc[0]
        parts.append(
            f"Of the {grouped(int(row['tried']))} {FAILING} that are not good at 1e-6 a tighter "
            f"tolerance corrects {int(row['good']) or 'none'}"
        )
    if len(others):
        row = others.iloc[0]
        parts.append(
            f"{remedy_name(row['remedy'])} corrects {int(row['good'])} of the {int(row['tried'])} "
            "for which it was tried"
        )
    shown = pd.concat([others.head(3), tighter])
    return Card(
        key="q3",
        question=question,
        conclusion=f"{'; '.join(parts)}." if parts else "No remedy was tried.",
        numbers=[*within, (grouped(int(every["baselines"].max())), f"{FAILING} not good at 1e-6")],
        bars=[
            Bar(
                name=remedy_name(row["remedy"]),
                length=float(row["share"]),
                text=f"{int(row['good'])} of {int(row['tried'])}",
            )
            for row in shown.to_dict("records")
            if np.isfinite(row["share"])
        ],
        caption="share of these gradients that one change corrects",
    )


def _literature(references: list[Reference], facts: Facts) -> Card:
    by_data, by_test = compared(references, facts)
    agree = f": {agreement(by_data)}" if by_data else ""
    decided = [bool(r.agrees) for r in by_data if r.agrees is not None]
    works, seen, tested = len(references), len(by_data), len(by_test)
    bars = (("by these data", seen), ("by a test", tested), ("by neither", works - seen - tested))
    return Card(
        key="q4",
        question="Do these data agree with the literature?",
        conclusion=(
            f"{seen} of {works} published statements can be compared with these data"
            f"{agree}. The bibliography says what the data show for each."
        ),
        numbers=[
            (f"{sum(decided)} of {len(decided)}", "statements agree, of those that are decided"),
            (f"{seen} of {works}", "compared with these data"),
            (str(tested), "checked only by a test of the project"),
        ],
        bars=[Bar(name=name, length=n / max(works, 1), text=str(n)) for name, n in bars],
        caption="published statements, by how they are checked",
    )
