"""Sentences on one model: its reference, its verdicts, which error dominates, how errors fall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.records.labels import functional_name, method_name
from gradaudit.report.numbers import (
    DASH,
    count,
    grouped,
    listed,
    number,
    rounded_down,
    seconds,
    series,
    tolerance,
)
from gradaudit.report.sentences import graded, statuses

CAUSES = {
    "state": "wrong states",
    "tangent": "wrong tangents",
    "observation": "wrong derivatives of events",
    "rounding": "rounding",
}


def reference(attributes: Mapping[str, Any], rungs: Sequence[Mapping[str, Any]]) -> str:
    """What the certificate says, and what it cost."""
    digits, proof = float(attributes["digits"]), _proof(attributes)
    if attributes["status"] != "ok":
        return (
            f"The reference does not have the requested digits ({attributes['status']}): "
            f"{_certified(digits)}.{proof}"
        )
    precisions = list(dict.fromkeys(str(rung["precision"]) for rung in rungs))
    made = f", by {count(len(rungs), 'solve')} in {listed(precisions)} precision" if rungs else ""
    cost = f", in {seconds(reference_seconds(rungs))}" if rungs else ""
    return f"The reference is certified{made}{cost}: {_certified(digits)}.{proof}"


def _proof(attributes: Mapping[str, Any]) -> str:
    """What is proven, as a sentence after another one; empty if nobody asked for a proof."""
    if "proof_status" not in attributes:
        return ""
    status, digits = str(attributes["proof_status"]), float(attributes["proven_digits"])
    if status.startswith("contradiction"):
        return f" The proof refutes it ({status})."
    if status != "ok":
        return f" There is no proof of the whole window ({status})."
    return f" Proven by a validated integrator: {rounded_down(digits)} significant digits."


def reference_seconds(rungs: Sequence[Mapping[str, Any]]) -> float:
    """Time of all solves, and of building each system once."""
    builds = {(rung["precision"], rung["tolerance"]): rung["build_seconds"] for rung in rungs}
    return float(sum(rung["run_seconds"] for rung in rungs) + sum(builds.values()))


FALSE_GOOD = "false good"


def verdict(verdicts: pd.DataFrame) -> str:
    """Verdicts on the tolerance series of one model, and the largest error."""
    if verdicts.empty:
        return "No gradient of this model was audited."
    false = verdicts["false_good"].astype(bool)
    text = f"Of {series(len(verdicts))} {graded(verdicts.loc[~false, 'verdict'])}"
    if false.any():
        one = false.sum() == 1
        text += (
            f"; {false.sum()} {'is' if one else 'are'} {FALSE_GOOD}, with data of the same solve, "
            f"where a gradient of 0 is right whatever the tangents are"
        )
    text += "."
    finite = verdicts[np.isfinite(verdicts["worst_error"])]
    if finite.empty:
        return f"{text} No gradient is finite."
    row = finite.loc[finite["worst_error"].idxmax()]
    return (
        f"{text} The largest error is {number(row['worst_error'])}: "
        f"{functional_name(row['functional'], row['kind'])}, by {row['solver']}, "
        f"{method_name(row['method'])}; {_good_from(row)}."
    )


def attribution(rows: pd.DataFrame) -> str:
    """Which part of the error is the largest, and how often."""
    named = rows[rows["dominant"].isin(list(CAUSES))]
    if named.empty:
        return "No error can be attributed."
    counts = named["dominant"].value_counts()
    parts = [f"{CAUSES[part]} in {counts[part]}" for part in CAUSES if part in counts.index]
    if len(parts) == 1:
        only = CAUSES[str(counts.index[0])]
        return f"The largest part of the error comes from {only} in {_every(len(named))}."
    return (
        f"The largest part of the error comes from {listed(parts)} of "
        f"{count(len(named), 'gradient')}."
    )


def order(verdicts: pd.DataFrame) -> str:
    """The fitted order of convergence over the tolerance series, and how many have none."""
    falls = verdicts["converging"].astype(bool)
    orders = verdicts.loc[falls, "order"].to_numpy(dtype=float)
    others = int((~np.isfinite(orders)).sum())
    orders = orders[np.isfinite(orders)]
    stuck = int((~falls).sum())
    where = "Where it converges, the" if stuck or others else "The"
    tail = ""
    if others:
        have = "has" if others == 1 else "have"
        tail += f" {series(others)} {have} no order: the error is small and hardly falls."
    if stuck:
        tail += f" {series(stuck)} {'does' if stuck == 1 else 'do'} not converge."
    if not len(orders):
        return f"No order of convergence could be fitted.{tail}"
    if len(orders) == 1:
        return f"{where} error falls like rtol to the power {orders[0]:.2f}.{tail}"
    return (
        f"{where} error falls like rtol to the power {np.median(orders):.2f} "
        f"(median of {len(orders)} tolerance series, from {orders.min():.2f} to "
        f"{orders.max():.2f}).{tail}"
    )


def failures(rows: pd.DataFrame) -> str:
    """How many solves of the model failed; empty if none did."""
    solves = rows.drop_duplicates(["solver", "method", "rtol"])
    failed = solves[solves["status"] != "ok"]
    if failed.empty:
        return ""
    return f"{len(failed)} of {count(len(solves), 'solve')} failed: {statuses(failed['status'])}."


def solvers(rows: pd.DataFrame) -> str:
    """What the names of variants stand for, and how far each solver's tolerances go."""
    meant = rows[rows["variant"].astype(str) != ""].drop_duplicates("solver")
    parts = [
        f"{row['solver']} is {row['base_solver']} with {_in_words(str(row['variant']))}"
        for row in meant.to_dict("records")
    ]
    text = f"Among the solvers, {listed(parts)}. " if parts else ""
    series = rows.groupby("solver", sort=False)["rtol"].agg(["nunique", "min"])
    if series["min"].nunique() > 1:
        ends = [f"{n} down to {tolerance(end)} for {name}" for name, n, end in series.itertuples()]
        text += f"Tolerances: {listed(ends, limit=8)}."
    return text.rstrip()


def _in_words(variant: str) -> str:
    known = {
        "observe=clip": "steps clipped to the observations",
        "observe=interpolant": "dense output at the observations",
        "dtype=float32": "single precision",
        "steps": "equal steps",
        "root_tolerance": "loose roots",
    }
    parts = variant.split(", ")
    return listed([known.get(part, known.get(part.partition("=")[0], part)) for part in parts])


def cheapest(row: Mapping[str, Any]) -> str:
    """A cell of the table of the cheapest settings."""
    if not isinstance(row["solver"], str) or not row["solver"]:
        reason = row.get("reason")
        return reason if isinstance(reason, str) and reason else DASH
    work = row.get("work", np.nan)
    counted = f"work {grouped(round(work))}, " if np.isfinite(work) else ""
    return (
        f"{row['solver']}, {method_name(str(row['method']))}, rtol {tolerance(row['rtol'])}: "
        f"{counted}{seconds(row['seconds'])}"
    )


def _good_from(row: pd.Series) -> str:
    """From which tolerance on the error is good."""
    needed = row["sufficient_rtol"]
    if not np.isfinite(needed):
        return "no tolerance is sufficient there"
    if needed >= row["loosest_rtol"]:
        return "it is right at every tolerance there"
    return f"it takes rtol {tolerance(needed)} or a tighter one to be right there"


def _certified(digits: float) -> str:
    if not np.isfinite(digits):
        return "no digits are certified"
    held = rounded_down(digits)
    return f"{held} significant digits are certified for every sensitivity that is not negligible"


def _every(total: int) -> str:
    return "the only gradient" if total == 1 else f"all {total} gradients"
