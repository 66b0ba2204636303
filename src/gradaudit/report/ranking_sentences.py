"""Q2 in sentences: which functions of the solution have accurate forward-mode gradients."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from gradaudit.analysis.functional_ranking import EVERYWHERE, OSCILLATING
from gradaudit.records.labels import ranked_name
from gradaudit.report.numbers import FEW, count, listed, number, percent, proportion, series

SAME_PLACE = 1e-9
"""Difference of two median places up to which two functionals tie."""


def answer(ranking: pd.DataFrame) -> list[str]:
    """The sentences; each is left out where the table has nothing to say."""
    rows = ranking[ranking["scope"] == EVERYWHERE]
    if rows.empty:
        return ["No functional can be ranked: nothing was audited."]
    candidates = [_shares(rows), _places(rows), _oscillation(ranking), _best(rows), _none(rows)]
    return [sentence for sentence in candidates if sentence]


def _shares(rows: pd.DataFrame) -> str:
    useful = rows[rows["best_horrible"] < 1.0]
    ordered = useful.sort_values(["good", "horrible"], ascending=[False, True])
    if ordered.empty:
        return ""

    def described(row: pd.Series) -> str:
        return (
            f"{ranked_name(row['kind'])} ({_good(row)} good, {_horrible(row)} horrible"
            f"{_total(row)})"
        )

    if len(ordered) == 1:
        return f"By forward AD: {described(ordered.iloc[0])}."
    top = [described(row) for _, row in ordered.head(3).iterrows()]
    if len(ordered) < 5:
        every = [described(row) for _, row in ordered.iterrows()]
        return f"By forward AD, from the best: {listed(every)}."
    low = [described(row) for _, row in ordered.tail(2).iloc[::-1].iterrows()]
    return (
        "Only tolerance series of plain solver settings whose certified gradient is not zero are "
        f"counted. By forward AD most often good: {listed(top)}. Least often: {listed(low)}."
    )


def _good(row: pd.Series, column: str = "good") -> str:
    return proportion(float(row[column]), int(row["ladders"]))


def _horrible(row: pd.Series) -> str:
    few = int(row["ladders"]) < FEW
    return _good(row, "horrible").partition(" of ")[0] if few else percent(row["horrible"])


def _total(row: pd.Series) -> str:
    """Of how many, where a percentage does not say it."""
    ladders = int(row["ladders"])
    return "" if ladders < FEW else f", of {series(ladders)}"


def _places(rows: pd.DataFrame) -> str:
    placed = rows[np.isfinite(rows["position"])].sort_values("position")
    if len(placed) < 2:
        return ""

    def described(row: pd.Series) -> str:
        interval = (
            f" [{row['position_low']:.2f}, {row['position_high']:.2f}]"
            if np.isfinite(row["position_low"])
            else ""
        )
        return f"{ranked_name(row['kind'])} {row['position']:.2f}{interval}"

    place = placed["position"].to_numpy()
    if place[-1] - place[0] < SAME_PLACE:
        return "No functional is more accurate than another one of the same solve."
    shown = min(3, len(placed) // 2)
    # Those that tie with the last one shown are shown; no functional is in both lists.
    best = placed[place <= place[shown - 1] + SAME_PLACE]
    worst = placed[place >= place[-shown] - SAME_PLACE]
    best, worst = best[~best.index.isin(worst.index)], worst[~worst.index.isin(best.index)]
    first = [described(row) for _, row in best.iterrows()]
    last = [described(row) for _, row in worst.iloc[::-1].iterrows()]
    return (
        "The functionals of each solve are ranked by their errors, from 0 (the smallest) to 1 (the "
        f"largest). The smallest median ranks: {listed(first)}. The largest: {listed(last)}. "
        "Intervals are 95 %, over models."
    )


def _oscillation(ranking: pd.DataFrame) -> str:
    """Values and traces against functionals that do not depend on the phase."""
    rows = ranking[ranking["scope"] == OSCILLATING]
    if rows.empty:
        return "No model of this configuration is an oscillation whose phase drifts."
    gains = rows[np.isfinite(rows["gain_over_terminal"]) & (rows["kind"] != "terminal")]
    better = gains[gains["gain_over_terminal"] >= 1.0].sort_values(
        "gain_over_terminal", ascending=False
    )
    worse = gains[gains["gain_over_terminal"] < 1.0].sort_values("gain_over_terminal")
    if gains.empty:
        return ""
    models = count(int(rows["models"].max()), "model")
    parts = []
    if len(better):
        found = zip(better["kind"], better["gain_over_terminal"], strict=True)
        parts.append(f"smaller for {_times(found)}")
    if len(worse):
        found = zip(worse["kind"], 1.0 / worse["gain_over_terminal"], strict=True)
        parts.append(f"larger for {_times(found)}")
    return (
        f"Where the phase drifts ({models}), compared with the value at the end in the same solve, "
        f"the error is {'; it is '.join(parts)}."
    )


def _times(found: Iterable[tuple[str, float]]) -> str:
    return listed([f"{ranked_name(kind)} ({number(factor, 2)} times)" for kind, factor in found])


def _best(rows: pd.DataFrame) -> str:
    gained = rows.assign(gain=rows["best_good"] - rows["good"]).sort_values("gain")
    row = gained.iloc[-1]
    if not row["gain"] > 0.0:
        return (
            "No other method is good on more tolerance series than forward AD, for any functional."
        )
    least = rows[rows["best_good"] > 0.0].sort_values("best_good").iloc[0]
    alike = gained[
        (gained[["good", "best_good"]] == row[["good", "best_good"]].to_numpy()).all(axis=1)
    ]
    names = [f"the {ranked_name(kind)}" for kind in alike["kind"]]
    each = "" if len(alike) == 1 else " for each"
    text = (
        f"The best method improves {listed(names)} most: from {_good(row)} good tolerance series "
        f"by forward AD to {_good(row, 'best_good')}{each}."
    )
    if rows["best_good"].min() >= 1.0:
        return f"{text} All tolerance series of all functionals are good by the best method."
    return (
        f"{text} The most difficult is the {ranked_name(least['kind'])}: "
        f"{_good(least, 'best_good')} are good by the best method."
    )


def _none(rows: pd.DataFrame) -> str:
    kinds = [f"the {ranked_name(kind)}" for kind in rows.loc[rows["best_horrible"] >= 1.0, "kind"]]
    if not kinds:
        return ""
    return f"No method gives a useful gradient of {listed(kinds)}."
