"""Q3 in sentences: where forward AD fails and what fixes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.analysis.audit_rows import HARM
from gradaudit.analysis.remedies import remedy_name, summary
from gradaudit.report.numbers import count, listed, number


def answer(regimes: pd.DataFrame, remedies: pd.DataFrame) -> list[str]:
    """Where forward AD fails, and which remedies work."""
    candidates = [_where(regimes), _expected(regimes), *_remedies(remedies)]
    return [sentence for sentence in candidates if sentence]


def _where(regimes: pd.DataFrame) -> str:
    plain = regimes[regimes["method"] == "forward_ad"]
    if plain.empty:
        return "No gradient of forward AD was audited."
    parts = []
    for word in ("horrible", "bad", "good"):
        shares = []
        for name, rows in plain.groupby("mechanism", sort=False):
            sums = rows[["good", "bad", "horrible", "ladders"]].sum()
            if 2 * sums[word] > sums["ladders"]:
                shares.append(f"{name} ({int(sums[word])} of {int(sums['ladders'])})")
        if shares:
            parts.append(f"mostly {word} for {listed(shares, limit=12)}")
    if not parts:
        return "Forward AD has no verdict that most tolerance series of a mechanism share."
    return (
        f"Forward AD is, by the verdicts on tolerance series of the main functionals, "
        f"{'; '.join(parts)}."
    )


def _expected(regimes: pd.DataFrame) -> str:
    """How often the worst verdict of a mechanism is the expected one."""
    plain = regimes[(regimes["method"] == "forward_ad") & (regimes["regime"].astype(str) != "")]
    ranks = {"good": 0, "bad": 1, "horrible": 2}
    met: list[str] = []
    better: list[str] = []
    worse: list[str] = []
    for name, rows in plain.groupby("mechanism", sort=False):
        expected = str(rows["regime"].iloc[0])
        worst = max((w for w in ranks if rows[w].sum()), key=ranks.__getitem__, default=expected)
        group = met if worst == expected else better if ranks[worst] < ranks[expected] else worse
        group.append(str(name))
    if not (met or better or worse):
        return ""
    text = (
        f"The worst verdict is the expected one in {len(met)} of "
        f"{count(len(met) + len(better) + len(worse), 'mechanism')}"
    )
    if better:
        text += f"; better than expected at these settings: {listed(better)}"
    if worse:
        text += f"; worse than expected: {listed(worse)}"
    return f"{text}."


def _remedies(remedies: pd.DataFrame) -> list[str]:
    if remedies.empty:
        return [
            "Every gradient of forward AD by an explicit solver is good at the tolerance nearest "
            "to 1e-6: there is nothing to correct."
        ]
    summed = summary(remedies)
    every = summed[summed["mechanism"] == "all"]
    baselines = int(every["baselines"].max())
    tried = every[every["tried"] > 0].sort_values("share", ascending=False)
    corrected = [
        f"{remedy_name(row['remedy'])} {row['good']} of {row['tried']}{_cost(row)}"
        for row in tried.to_dict("records")
    ]
    verb = "is" if baselines == 1 else "are"
    text = (
        f"At the tolerance nearest to 1e-6, {count(baselines, 'gradient')} of forward AD by "
        f"explicit solvers, or {HARM}, {verb} not good; those by implicit solvers are not examined "
        "here. One change at a time was tried, where it applies. The first number is of gradients "
        "that are good with it, and the factor is the median work over that before: "
        f"{listed(corrected, limit=8)}."
    )
    own = remedies.drop_duplicates(["model", "functional", "solver", "rtol"])
    unsolved = int((~np.isfinite(pd.to_numeric(own["error_before"]))).sum())
    if unsolved:
        text += f" Before the change, the solve of {unsolved} of them failed."
    counts = int((own["reason_before"] == "no_derivative").sum())
    if counts:
        text += (
            f" {counts} of them {'is a count' if counts == 1 else 'are counts'}, which no method "
            "corrects."
        )
    missing = [remedy_name(name) for name in every.loc[every["tried"] == 0, "remedy"]]
    if missing:
        text += f" Not tried, as this configuration lacks them: {listed(missing)}."
    return [text, _stuck(remedies)]


def _stuck(remedies: pd.DataFrame) -> str:
    """Of those that do not converge, what a tighter tolerance does."""
    rows = remedies[
        ~remedies["converging_before"].astype(bool)
        & (remedies["remedy"] == "tolerance")
        & remedies["tried"].astype(bool)
        & np.isfinite(pd.to_numeric(remedies["error_before"]))
    ]
    if rows.empty:
        return ""
    good = int((rows["verdict_after"] == "good").sum())
    factor = pd.to_numeric(rows["factor"], errors="coerce").median()
    change = ""
    if 0.95 < factor < 1.05:
        change = "; in the median their error does not change"
    elif np.isfinite(factor):
        change = f"; in the median their error falls by a factor of {number(float(factor), 2)}"
    verb = "does" if len(rows) == 1 else "do"
    return (
        f"{len(rows)} of those whose solve finished {verb} not converge: a tighter tolerance "
        f"corrects {good or 'none'} of these{change}."
    )


def _cost(row: Mapping[Any, Any]) -> str:
    cost = float(row["cost"])
    if row["remedy"] == "functional" or not np.isfinite(cost):
        return ""
    return f" (work × {number(cost, 2)})"
