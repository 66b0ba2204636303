"""Sentences on all models together, as functions of tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gradaudit.analysis.audit_rows import vanishing
from gradaudit.records.labels import VERDICTS, functional_name, in_order, method_name
from gradaudit.report.numbers import (
    FEW,
    count,
    listed,
    number,
    percent,
    rounded_down,
    seconds,
    series,
    tolerance,
)

SOLVE = ["model", "solver", "method", "rtol"]
"""What makes a solve: its gradients of several functionals share it."""


USUAL = (1e-3, 1e-6)
"""Relative tolerances that most programs have by default."""


def solves_of(audits: pd.DataFrame) -> pd.DataFrame:
    """One row per solve."""
    return audits.drop_duplicates(SOLVE)


def audited(audits: pd.DataFrame) -> str:
    """What was audited."""
    if audits.empty:
        return "Nothing was audited."
    models = sorted(audits["model"].unique())
    solvers = sorted(audits["solver"].unique())
    methods = [method_name(method) for method in in_order(set(audits["method"]), "methods")]
    rtols = audits["rtol"]
    ladder = (
        f"at rtol {tolerance(rtols.max())}"
        if rtols.nunique() == 1
        else f"at {rtols.nunique()} tolerances from {tolerance(rtols.max())} "
        f"to {tolerance(rtols.min())}"
    )
    return (
        f"Audited: {count(len(audits), 'gradient')} from {count(len(solves_of(audits)), 'solve')} "
        f"of {count(len(models), 'model')} ({listed(models)}), by {count(len(solvers), 'solver')} "
        f"({listed(solvers)}) and {count(len(methods), 'method')} ({listed(methods)}) {ladder}."
    )


def certified(statuses: Mapping[str, str], digits: Mapping[str, float]) -> str:
    """How many references are certified, and to how many digits; both by model."""
    held = [digits[model] for model, status in statuses.items() if status == "ok"]
    missing = sorted(model for model, status in statuses.items() if status != "ok")
    if not statuses:
        return "There is no reference."
    text = f"Certified: {len(held)} of {count(len(statuses), 'reference')}"
    if held:
        each = "each " if len(held) > 1 else ""
        text += f", {each}to at least {rounded_down(min(held))} significant digits"
    return f"{text}; not certified: {listed(missing)}." if missing else f"{text}."


def answer(verdicts: pd.DataFrame) -> str:
    """Counts of verdicts on tolerance series, by method and by model; those of 0 apart."""
    if verdicts.empty:
        return "There is no verdict: nothing was audited."
    zero = verdicts["zero"].astype(bool)
    apart = bool(zero.any() and not zero.all())
    zeros, verdicts = verdicts[zero], verdicts[~zero] if apart else verdicts
    whose = " whose true gradient is not 0" if apart else ""
    parts = [
        f"Of {series(len(verdicts))}{whose} (a model, solver, method and "
        f"functional each) {graded(verdicts['verdict'])}."
    ]
    if verdicts["model"].nunique() > 1:
        parts.append(_models(verdicts))
    stuck = verdicts[~verdicts["converging"].astype(bool)]
    if len(stuck):
        parts.append(
            f"{series(len(stuck))} {'does' if len(stuck) == 1 else 'do'} not converge as the "
            f"tolerance decreases; of these {graded(stuck['verdict'])}. (A good one has a small "
            "error at every tolerance.)"
        )
    else:
        parts.append(
            f"Every {'one of these' if apart else 'tolerance series'} converges, though its error "
            "may rise between two tolerances."
        )
    if apart:
        false = int(zeros["false_good"].sum())
        hollow = f"; {false} of the good ones are false good, with data of the same solve"
        parts.append(
            f"Of {len(zeros)} more, whose true gradient is 0, {graded(zeros['verdict'])}"
            f"{hollow if false else ''}."
        )
    return " ".join(parts)


def graded(verdicts: pd.Series) -> str:
    """How many of some verdicts are good, bad and horrible."""
    counts = [f"{_of(verdicts, word) or 'none'} {word}" for word in VERDICTS]
    first = _of(verdicts, VERDICTS[0])
    counts[0] = f"{first or 'none'} {'is' if first == 1 else 'are'} {VERDICTS[0]}"
    return listed(counts)


def cases_of(audits: pd.DataFrame) -> pd.DataFrame:
    """Rows whose gradient can be right or wrong: no numbers of events, no gradients that are 0.

    Where the true gradient is 0, as with data of the same solve, one of 0 is right whatever the
    tangents are.
    """
    if audits.empty:
        return audits
    counts = pd.Series(audits.get("piecewise_constant", False), index=audits.index)
    return audits[~counts.astype(bool) & ~vanishing(audits)]


def share_within(audits: pd.DataFrame, rtol: float, good: float) -> tuple[float, int]:
    """Share of forward AD's gradients at a tolerance whose error is good, and of how many."""
    cases = cases_of(audits)
    rows = cases[(cases["method"] == "forward_ad") & np.isclose(cases["rtol"], rtol)]
    return float((rows["error"] <= good).mean()) if len(rows) else float("nan"), len(rows)


def within(audits: pd.DataFrame, good: float) -> str:
    """How often forward AD is right at the usual tolerances."""
    parts = []
    for rtol in USUAL:
        share, rows = share_within(audits, rtol, good)
        if rows:
            cases = count(rows, "case")
            part = f"{100.0 * share:.0f} % of {cases}"
            if rows < FEW:
                part = f"{round(share * rows)} of {cases}"
            parts.append(f"{part} at rtol {tolerance(rtol)}")
    if not parts:
        return ""
    return (
        f"Forward AD is within {percent(good)} of the true gradient in {listed(parts)}. A case is "
        "a model, a solver and a functional whose true gradient is not 0."
    )


def loosest(audits: pd.DataFrame, horrible: float) -> str:
    """What a loose tolerance does to each method."""
    cases = cases_of(audits)
    if cases.empty:
        return ""
    rtol = cases["rtol"].max()
    rows = cases[cases["rtol"] == rtol]
    failed = ", or the solve failed," if (rows["status"] != "ok").any() else ""
    shares = []
    for method in in_order(set(rows["method"]), "methods"):
        own = rows[rows["method"] == method]
        wrong = int((~(own["error"] <= horrible)).sum())
        share = percent(wrong / len(own)) if len(own) >= FEW else str(wrong)
        shares.append(f"{share} of {count(len(own), 'case')} by {method_name(method)}")
    return (
        f"At the loosest tolerance, rtol {tolerance(rtol)}, the error is above "
        f"{number(horrible)}{failed} in {listed(shares)}."
    )


def control(audits: pd.DataFrame) -> str:
    """Full control against forward AD, setting by setting: error and time."""
    pairs = _pairs(audits, "forward_ad", "forward_sensitivity")
    pairs = pairs[(pairs["error_b"] > 0.0) & np.isfinite(pairs["error_a"])]
    if pairs.empty:
        return ""
    ratio = (pairs["error_a"] / pairs["error_b"]).to_numpy()
    times = (pairs["seconds_b"] / pairs["seconds_a"]).to_numpy()
    better = int((ratio > 1.0).sum())
    factor = float(np.median(ratio))
    compared = (
        f"{number(factor, 2)} times smaller"
        if factor >= 1.0
        else f"{number(1.0 / factor, 2)} times larger"
    )
    if 0.95 < factor < 1.05:
        compared = "the same"
    return (
        f"At the same solver and tolerance, full control has the smaller error in {better} of "
        f"{count(len(pairs), 'pair')} with forward AD in which both solves "
        "finished and the error of full control is not 0. In the median its error is "
        f"{compared}, and its time {number(float(np.nanmedian(times)), 2)} times that of forward "
        "AD."
    )


def failures(audits: pd.DataFrame) -> str:
    """How many solves failed, and how."""
    solves = solves_of(audits)
    failed = solves[solves["status"] != "ok"]
    if solves.empty:
        return "There is no solve."
    if failed.empty:
        return f"Every solve finished ({len(solves)} of {len(solves)})."
    some = f"{len(failed)} of {count(len(solves), 'solve')} failed"
    if len(failed) == len(solves):
        some = f"Every solve failed ({len(failed)} of {len(solves)})"
    return f"{some}: {statuses(failed['status'])}."


def statuses(failed: pd.Series) -> str:
    """How often each status of failed solves occurs, in words."""
    counts = sorted(failed.value_counts().items())
    return listed([f"{str(word).replace('_', ' ')} ({n})" for word, n in counts])


def times(audits: pd.DataFrame, reference_seconds: float) -> str:
    """Computing time."""
    solves = solves_of(audits)
    warm, compiled = float(solves["seconds"].sum()), float(solves["compile_seconds"].sum())
    text = (
        f"One run of every solve takes {seconds(warm)}, compiling them {seconds(compiled)}, and "
        f"solving the references {seconds(reference_seconds)}."
    )
    if solves.empty or warm <= 0.0:
        return text
    slowest = solves.sort_values("seconds").iloc[-1]
    return (
        f"{text} The longest solve ({seconds(slowest['seconds'])}) is that of {slowest['model']} "
        f"by {slowest['solver']}, {method_name(slowest['method'])}, at rtol "
        f"{tolerance(slowest['rtol'])}."
    )


def indicator(audits: pd.DataFrame, good: float) -> str:
    """Detections and false alarms of an alarm at indicator times rtol above `good`."""
    rows = audits[np.isfinite(audits["error"]) & np.isfinite(audits["indicator"])]
    if rows.empty:
        return "There is no gradient with both an indicator and an error."
    alarm = rows["indicator"] * rows["rtol"] > good
    wrong = rows["error"] > good
    seen, false = int((alarm & wrong).sum()), int((alarm & ~wrong).sum())
    text = (
        "The indicator of this figure is the embedded error of the tangents, which needs no second "
        f"solve. There is an alarm where indicator × rtol is above {number(good)}. "
    )
    if not wrong.any():
        text += "No error is above that bound, so there is nothing to detect; "
    else:
        text += f"It detects {seen} of the {int(wrong.sum())} gradients with a larger error; "
    text += f"it is a false alarm on {false} of the {int((~wrong).sum())} others."
    if 2 * seen < int(wrong.sum()):
        text += " Alone it is of no use: it misses most of what is wrong."
    return f"{text} Gradients of solves that failed are left out."


def _models(verdicts: pd.DataFrame) -> str:
    """Which models are entirely good, and which have a horrible tolerance series."""
    by_model = verdicts.groupby("model")["verdict"]
    clean = [str(name) for name, words in by_model if (words == "good").all()]
    horrible = [str(name) for name, words in by_model if (words == "horrible").any()]
    parts = []
    if clean:
        parts.append(f"Good throughout: {listed(sorted(clean))}.")
    if horrible:
        parts.append(f"Horrible somewhere: {listed(sorted(horrible))}.")
    if not parts:
        rows = verdicts.sort_values("worst_error").iloc[-1]
        parts.append(
            f"The largest error is {number(rows['worst_error'])}: {rows['model']}, "
            f"{functional_name(rows['functional'], rows['kind'])}, by {rows['solver']}, "
            f"{method_name(rows['method'])}."
        )
    return " ".join(parts)


def _pairs(audits: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Rows of two methods side by side, where both solves finished."""
    keys = ["model", "solver", "rtol", "functional"]
    columns = [*keys, "error", "seconds"]
    worked = audits[audits["status"] == "ok"]
    return worked.loc[worked["method"] == a, columns].merge(
        worked.loc[worked["method"] == b, columns], on=keys, suffixes=("_a", "_b")
    )


def _of(verdicts: pd.Series, word: str) -> int:
    return int((verdicts == word).sum())
