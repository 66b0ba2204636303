"""Q4: what of the literature can be seen in the data, computed from the tables."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from gradaudit.analysis.scaling_laws import EVERYWHERE
from gradaudit.model.mechanism import Trait, having
from gradaudit.records.labels import method_name
from gradaudit.report import law_sentences
from gradaudit.report.bibliography import ENTRIES, Entry
from gradaudit.report.numbers import count, number, series


@dataclass(frozen=True, kw_only=True)
class Facts:
    """The tables of the atlas that evidence is taken from."""

    audits: pd.DataFrame
    verdicts: pd.DataFrame
    laws: pd.DataFrame
    ranking: pd.DataFrame
    remedies: pd.DataFrame
    regimes: pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Reference:
    """An entry as the page shows it; `anchor` is empty where the page has no such place.

    `agrees` is None where there are no data, or they do not decide it.
    """

    entry: Entry
    seen: str
    anchor: str
    agrees: bool | None = None


class Seen(NamedTuple):
    """A sentence, the place on the page where it can be seen, and whether the data agree.

    The last is None where the data say how large something is, and the work does not.
    """

    text: str
    anchor: str
    agrees: bool | None = None


APART = 2.0
"""Medians that differ by less show no difference: over mechanisms they scatter by more."""

WORDS = {True: "It agrees. ", False: "It does not agree. ", None: ""}


def references(facts: Facts, anchors: Collection[str]) -> list[Reference]:
    """Every entry with what the data say of it; `anchors` are the places that the page has."""
    cited = []
    for entry in ENTRIES:
        parts = _EVIDENCE[entry.evidence](facts) if entry.evidence else None
        if parts is None:
            text = (
                "This configuration has no data for it" if entry.evidence else "Not in the tables"
            )
            text += f"; a test of the project shows it ({entry.test})." if entry.test else "."
            cited.append(Reference(entry=entry, seen=text, anchor=""))
            continue
        anchor = parts.anchor if parts.anchor in anchors else ""
        agrees = parts.agrees if entry.decided else None
        text = WORDS[agrees] + parts.text
        cited.append(Reference(entry=entry, seen=text, anchor=anchor, agrees=agrees))
    return cited


def compared(listed: list[Reference], facts: Facts) -> tuple[list[Reference], list[Reference]]:
    """The works that these data can be compared with, and those that only a test can."""
    seen = [
        r for r in listed if r.entry.evidence and _EVIDENCE[r.entry.evidence](facts) is not None
    ]
    return seen, [r for r in listed if r not in seen and r.entry.test]


def agreement(seen: list[Reference]) -> str:
    """How many of the works that are compared agree with the data."""
    decided = [r.agrees for r in seen if r.agrees is not None]
    if not decided:
        return "the data decide none of them"
    agree = sum(decided)
    if agree == len(decided):
        text = "it agrees" if agree == 1 else f"all {agree} agree"
    else:
        text = f"{agree} of {len(decided)} agree"
    if len(decided) == len(seen):
        return text
    if agree == len(decided):
        text = f"{agree} of {agree} agree"
    return f"{text}, and for the others the data only say how large the effect is"


def answer(listed: list[Reference], facts: Facts) -> list[str]:
    """How many works the data can be compared with, and how many of those agree."""
    seen, tested = compared(listed, facts)
    agree = f": {agreement(seen)}" if seen else ""
    decided = [r.seen for r in seen if r.agrees is not None]
    shared = ""
    if decided:
        shared = " A work agrees where these data show what it states; its entry says how clearly."
    if 0 < len(set(decided)) < len(decided):
        shared += (
            f" These {len(decided)} works are compared with {len(set(decided))} results of this "
            "run, as several works state the same."
        )
    return [
        f"Of {count(len(listed), 'work')}, {len(seen)} can be compared with the data of this run"
        f"{agree}.{shared} For {count(len(tested), 'other')} there is a test of the project. Each "
        "entry of the bibliography states what the data show."
    ]


def _same_order(facts: Facts) -> Seen | None:
    row = law_sentences.pooled(facts.laws, "state_error") if len(facts.laws) else None
    if row is None:
        return None
    holds = bool(row["low"] - 0.02 <= 1.0 <= row["high"] + 0.02)
    return Seen(
        "Where forward AD converges, its error follows that of the states to the power "
        f"{law_sentences.power(row)}: {'the same order' if holds else 'not quite the same order'}.",
        "figure-laws",
        holds,
    )


def _differences(facts: Facts) -> Seen | None:
    found = _against_forward(facts, "finite_difference", "Finite differences")
    ratio, _ = _ratios(facts.audits, "finite_difference")
    return found and found._replace(agrees=bool(np.median(ratio) > 1.0))


def _adjoint(facts: Facts) -> Seen | None:
    return _against_forward(facts, "discrete_adjoint", "The discrete adjoint")


def _against_forward(facts: Facts, method: str, name: str) -> Seen | None:
    ratio, _ = _ratios(facts.audits, method)
    if not len(ratio):
        return None
    return Seen(
        f"{name}: in the median {number(float(np.median(ratio)), 2)} times the error of forward AD "
        f"in the same setting ({count(len(ratio), 'pair')}).",
        "answer",
    )


def _cost(facts: Facts) -> Seen | None:
    for method in ("discrete_adjoint", "backsolve_adjoint"):
        _, cost = _ratios(facts.audits, method)
        if len(cost):
            ratio = float(np.median(cost))
            return Seen(
                f"Time of the {method_name(method)} over that of forward AD: "
                f"{number(ratio, 2)} in the median ({count(len(cost), 'pair')}).",
                "time",
                ratio > 1.0,
            )
    return None


def _ratios(audits: pd.DataFrame, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Error and time of a method over those of forward AD, setting by setting."""
    keys = ["model", "solver", "rtol", "functional"]
    worked = audits[(audits["status"] == "ok") & (audits["error"] > 0.0)]
    columns = [*keys, "error", "seconds"]
    pairs = worked.loc[worked["method"] == method, columns].merge(
        worked.loc[worked["method"] == "forward_ad", columns], on=keys, suffixes=("", "_ad")
    )
    cost = pairs["seconds"] / pairs["seconds_ad"]
    return (pairs["error"] / pairs["error_ad"]).to_numpy(), cost[np.isfinite(cost)].to_numpy()


def _control(facts: Facts) -> Seen | None:
    rest = facts.remedies[_has(facts.remedies, Trait.AT_REST)]
    good, tried = _corrected(rest, "control")
    tight, of = _corrected(rest, "tolerance")
    if not tried:
        return None
    return Seen(
        f"Where the state stands still, {method_name('forward_sensitivity')} corrects {good} "
        f"of {tried} gradients that are not good, a tighter tolerance {tight} of {of}.",
        "figure-remedies",
        good / tried > tight / of if of else None,
    )


def _oscillation(facts: Facts) -> Seen | None:
    laws = facts.laws[_has(facts.laws, Trait.PHASE_DRIFT)]
    window = laws[
        (laws["law"] == "window") & (laws["method"] == "forward_ad") & (laws["status"] == "ok")
    ]
    if len(window):
        row = window.iloc[0].to_dict()
        return Seen(
            f"The error of {row['model']} grows like the window to the power "
            f"{law_sentences.power(row)}.",
            "figure-laws_axes",
            bool(row["low"] > 0.0),
        )
    rows = facts.regimes[
        _has(facts.regimes, Trait.PHASE_DRIFT) & (facts.regimes["method"] == "forward_ad")
    ]
    if rows.empty:
        return None
    return Seen(f"Forward AD where the phase drifts: {_tally(rows)}.", "figure-mechanisms")


def _chaos(facts: Facts) -> Seen | None:
    laws = facts.laws[facts.laws["form"] == "exponential"]
    laws = laws[(laws["method"] == "forward_ad") & (laws["status"] == "ok")]
    if len(laws):
        row = laws.iloc[0].to_dict()
        return Seen(
            f"By an exponential that is fitted to few windows, the error of {row['model']} grows "
            f"like exp(r t_end) with r = {law_sentences.power(row)}.",
            "figure-laws_axes",
            bool(row["low"] > 0.0),
        )
    rows = facts.regimes[
        _has(facts.regimes, Trait.CHAOS) & (facts.regimes["method"] == "forward_ad")
    ]
    if rows.empty:
        return None
    return Seen(f"Forward AD in chaos: {_tally(rows)}.", "figure-mechanisms")


def _amplification(facts: Facts) -> Seen | None:
    laws = facts.laws[
        (facts.laws["law"] == "state_error")
        & (facts.laws["method"] == "forward_ad")
        & (facts.laws["status"] == "ok")
    ]
    amplifying = _has(laws, Trait.AMPLIFYING)
    rows = laws[amplifying].sort_values("ratio")
    if rows.empty:
        return None
    here = float(rows["ratio"].median())
    text = (
        f"Where perturbations grow, the error of the gradient is {number(here, 2)} times that of "
        f"the states, the median over {count(len(rows), 'mechanism')}"
    )
    others = laws.loc[~amplifying & (laws["mechanism"] != EVERYWHERE), "ratio"]
    if others.empty:
        return Seen(f"{text}.", "figure-laws")
    usual = float(others.median())
    text += f", and elsewhere {number(usual, 2)} times, the median over {len(others)}"
    if usual / APART < here < usual * APART:
        return Seen(f"{text}: the data show no difference.", "figure-laws")
    return Seen(f"{text}.", "figure-laws", here > usual)


def _jumps(facts: Facts) -> Seen | None:
    return _not_converging(facts, Trait.JUMPS, "that jump")


def _equilibrium(facts: Facts) -> Seen | None:
    return _not_converging(facts, Trait.AT_REST, "that stand still")


def _not_converging(facts: Facts, trait: Trait, words: str) -> Seen | None:
    ladders = facts.verdicts[~facts.verdicts["zero"].astype(bool)]
    rows = ladders[_has(ladders, trait) & (ladders["method"] == "forward_ad")]
    if rows.empty:
        return None
    # one that is good at every tolerance need not fall
    stuck = ~rows["converging"].astype(bool) & (rows["verdict"] != "good")
    models = rows.loc[stuck, "model"].nunique()
    return Seen(
        f"{models} of {count(rows['model'].nunique(), 'model')} {words} have gradients of forward "
        f"AD that do not converge ({int(stuck.sum())} of {series(len(rows))}).",
        "figure-mechanisms",
        2 * models > rows["model"].nunique(),
    )


def _saltation(facts: Facts) -> Seen | None:
    good, tried = _corrected(facts.remedies, "saltation")
    if not tried:
        return None
    return Seen(
        f"Handling the events corrects {good} of {count(tried, 'gradient')} of forward AD that "
        "are not good.",
        "figure-remedies",
        2 * good > tried,
    )


def _stiff(facts: Facts) -> Seen | None:
    rows = facts.regimes[
        _has(facts.regimes, Trait.STIFF) & (facts.regimes["method"] == "forward_ad")
    ]
    if rows.empty:
        return None
    parts = [f"{row['stepping']} {_tally(rows[rows['stepping'] == row['stepping']])}"
            for row in rows.to_dict("records")]  # fmt: skip
    return Seen(f"Stiff and slow, forward AD: {'; '.join(parts)}.", "figure-mechanisms")


def _fast(facts: Facts) -> Seen | None:
    rows = facts.regimes[
        _has(facts.regimes, Trait.FAST_MODES) & (facts.regimes["method"] == "forward_ad")
    ]
    if rows.empty:
        return None
    return Seen(f"Forward AD for fast modes: {_tally(rows)}.", "figure-mechanisms")


_EVIDENCE: dict[str, Callable[[Facts], Seen | None]] = {
    "same_order": _same_order,
    "differences": _differences,
    "adjoint": _adjoint,
    "cost": _cost,
    "control": _control,
    "oscillation": _oscillation,
    "chaos": _chaos,
    "amplification": _amplification,
    "jumps": _jumps,
    "saltation": _saltation,
    "stiff": _stiff,
    "equilibrium": _equilibrium,
    "fast": _fast,
}


def _has(table: pd.DataFrame, trait: Trait) -> pd.Series:
    return table["mechanism"].isin(having(trait))


def _corrected(remedies: pd.DataFrame, remedy: str) -> tuple[int, int]:
    rows = remedies[(remedies["remedy"] == remedy) & remedies["tried"].astype(bool)]
    return int((rows["verdict_after"] == "good").sum()), len(rows)


def _tally(rows: pd.DataFrame) -> str:
    return (
        f"{int(rows['good'].sum())} good, {int(rows['bad'].sum())} bad and "
        f"{int(rows['horrible'].sum())} horrible of {series(int(rows['ladders'].sum()))}"
    )
