"""What an audit of a model says first: whether the gradient in the default setting is right."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from gradaudit.analysis.calibration.score import scores
from gradaudit.analysis.calibration.stepping import limits
from gradaudit.cli.audit.tried import (
    CURVE,
    Row,
    error_text,
    failures,
    inaccurate,
    setting,
    silently_wrong,
    sound_from,
)
from gradaudit.records.numbers import short
from gradaudit.report.numbers import count, listed, number, seconds, tolerance

if TYPE_CHECKING:
    from gradaudit.cli.audit.view import Audit

NAMED = 4
TIGHTEST = 1e-11
"""A relative tolerance from which on tighter ones are not advised."""

TANGENTS, STATES = "forward_sensitivity", "forward_ad"
FOR_EVENTS = "saltation"
AT_END = "terminal"
"""The kind of functional that has the unit of a state."""

ORIGINS = {
    "state": "the states: the functional is evaluated at inaccurate states",
    "tangent": "the tangents (sensitivities)",
    "observation": "the interpolation at observation times",
    "rounding": "rounding",
}
"""Parts of the error in words, by the name in the column `dominant`."""


def card(audit: Audit) -> dict[str, str]:
    """The lines of the card by what they are about; empty ones are left out."""
    if audit.rows.empty:
        return {"reference": str(audit.truth), "today": audit.reason}
    lines = {
        "model": audit.size,
        "reference": str(audit.truth),
        "today": _today(audit),
        "estimate": _estimate(audit),
        "functionals": _functionals(audit),
        "error from": _origin(audit),
        "right from": _sound(audit),
        "fails": "; ".join(_fails(audit)),
        "cheapest": _cheapest(audit),
        "next": _next(audit),
    }
    return {label: text for label, text in lines.items() if text}


def _today(audit: Audit) -> str:
    row, words = audit.today, setting(audit.today)
    match audit.answer:
        case "none":
            return f"{words}: NO GRADIENT ({row['status']})"
        case "unknown":
            return f"{words}: UNKNOWN, since the error cannot be measured"
    return (
        f"{words}: {audit.answer.upper()}, relative error {error_text(row)} "
        f"({row['functional']}, the worst functional)"
    )


NOTHING_FAILS = ("nothing", "no solve; without a reference no gradient can be called wrong")
"""With a reference, and without."""


NO_DIGIT = 0.9
"""An estimated relative error from which on nothing is said of how large it may be."""


def likely_error(row: Row) -> tuple[float, float, float]:
    """The estimated relative error without a reference: median, and bounds that hold in 90 %.

    NaN where there is no estimate. The bounds are NaN where it says that no digit holds: it is of
    first order in the error, which may then be larger by any factor.
    """
    score = scores()["propagated"]
    known = {name: row.get(name, math.nan) for name in (*score.features, "neglected")}
    line = float(score.predict(known))
    ends = score.interval(line, limits(pd.DataFrame([row]))[0])
    middle, low, high = (10.0 ** min(float(end), 0.0) for end in (line, *ends))
    return (middle, math.nan, math.nan) if middle >= NO_DIGIT else (middle, low, high)


def _estimate(audit: Audit) -> str:
    """The estimated error of the default setting, if it has one."""
    middle, low, high = likely_error(audit.today)
    if audit.answer == "none" or math.isnan(middle):
        return ""
    if middle >= NO_DIGIT:
        return "no digit, estimated without the reference: the error may be larger by any factor"
    return (
        f"error {number(middle, 2)}, estimated without the reference (90 % interval: "
        f"{number(low, 2)} to {number(high, 2)})"
    )


def _functionals(audit: Audit) -> str:
    """Which functionals have a right gradient in the default setting."""
    if audit.answer in ("none", "unknown"):
        return ""
    rows = audit.of_today
    right = rows["error"] + rows["resolution"] <= audit.good
    if right.all():
        return f"all {len(rows)} have a right gradient" if len(rows) > 1 else ""
    wrong = rows[~right].sort_values("error", ascending=False)["functional"].tolist()
    return f"{int(right.sum())} of {len(rows)} have a right gradient; not {listed(wrong, NAMED)}"


def _origin(audit: Audit) -> str:
    row = audit.today
    if audit.answer != "none" and _lacking(audit):
        return (
            "a missing saltation term: a step crosses a jump of the vector field; the term is "
            f"{row['neglected']:.0%} of an entry, at every tolerance"
        )
    if audit.answer in ("none", "unknown"):
        return ""
    if _below_atol(audit):
        return (
            f"a gradient that is smaller, {short(row['reference_norm'])}, than atol, "
            f"{short(row['atol'])}: no step is controlled for it"
        )
    return ORIGINS.get(row["dominant"], "")


def _below_atol(audit: Audit) -> bool:
    """Whether the true gradient of a state at the end is smaller than the absolute tolerance."""
    row = audit.today
    size, resolved = (row.get(name, math.nan) for name in ("reference_norm", "atol"))
    return bool(audit.answer == "wrong" and row.get("kind") == AT_END and 0.0 < size < resolved)


def _lacking(audit: Audit) -> bool:
    return bool(audit.today.get("neglected", math.nan) > audit.good)


def _sound(audit: Audit) -> str:
    """From which tolerance on the default solver and method is right, if any."""
    row = audit.today
    found = sound_from(audit.rows, row["solver"], row["method"], audit.good)
    curve, limit = f"{row['solver']}, {row['method']}", tolerance(audit.good)
    if found is not None:
        return f"rtol {tolerance(found)} and tighter: error at most {limit} ({curve})"
    own = audit.rows[
        (audit.rows["solver"] == row["solver"]) & (audit.rows["method"] == row["method"])
    ]
    if (own["verdict"] == "unknown").any():
        return ""
    return f"no tolerance that was tried ({curve})"


def _fails(audit: Audit) -> Iterator[str]:
    wrong = list(silently_wrong(audit.rows, audit.horrible))
    if wrong:
        yield f"silently: {', '.join(wrong)}"
    lost = list(failures(audit.rows))
    if lost:
        yield f"with a status: {', '.join(lost)}"
    yield from (f"{solver} could not be run" for solver in audit.failures)
    if not (wrong or lost or audit.failures):
        yield NOTHING_FAILS[audit.answer == "unknown"]
    rest = inaccurate(audit.rows, audit.good, audit.horrible)
    if rest:
        yield rest


def _cheapest(audit: Audit) -> str:
    """The cheapest setting that reaches the accuracy, or that none is known to."""
    goal, row = f"for an error of {tolerance(audit.accuracy)}", audit.cheapest
    if row is None:
        return f"{goal}: no setting is known, {audit.reason}"
    tied = f"; as cheap: {row['tied']}" if row.get("tied") else ""
    return (
        f"{goal}: {setting(row)} (error {error_text(row)}, {seconds(row['seconds'])}, "
        f"{count(int(row['steps']), 'step')}){tied}"
    )


def _next(audit: Audit) -> str:
    """The best next thing to do."""
    if audit.answer == "right":
        text = f"nothing: the error is at most {tolerance(audit.good)}"
        if audit.today["error"] <= audit.accuracy:
            return text
        goal = f"for {tolerance(audit.accuracy)}"
        if audit.cheapest is None:
            smaller = audit.rows["rtol"].min() > TIGHTEST
            tried = "try --tightest with a smaller tolerance" if smaller else "no setting is known"
            return f"{text}; {goal} {tried}"
        return f"{text}; {goal} use the setting of `cheapest`"
    if audit.answer == "unknown" and not _lacking(audit):
        return _for_a_reference(audit)
    if "without bound" in audit.truth.status:
        return _for_a_reference(audit)
    better = _sound_setting(audit.rows, audit.good)
    if _lacking(audit) and (better is None or better["method"] != FOR_EVENTS):
        return (
            "declare what switches as an event (docs/adding-a-model.md) and use "
            f"--methods {FOR_EVENTS}; no tolerance corrects forward AD here"
        )
    if better is None and _below_atol(audit):
        return (
            "let the window end earlier, lower atol (--atol-factor 1e-9), or take another "
            "functional (--functional NAME)"
        )
    if better is None:
        tighter = f"--tightest {TIGHTEST:.0e}, or "
        return (
            "no setting that was tried is right for every functional: try "
            f"{tighter if audit.rows['rtol'].min() > TIGHTEST else ''}another functional "
            "(--functional NAME)"
        )
    text = f"use {setting(better)}: {_gain(audit.today, better)}"
    if better["error"] <= audit.accuracy or audit.cheapest is None:
        return text
    return f"{text}; for {tolerance(audit.accuracy)} the setting of `cheapest`"


def _for_a_reference(audit: Audit) -> str:
    if audit.truth.status == "none":
        return "correct what the line `reference` names; until then only the estimate is known"
    status = audit.truth.status
    if "without bound" in status:
        return "check the model, or let the window end before the solution blows up"
    if "pulse" in status:
        return "declare an event where the line `reference` says, or widen what is so narrow"
    if "time limit" in status or "time_limit" in status:
        return "give the reference more time: --time-limit 1800"
    return "no certificate is to be had: only the estimate is known"


def _sound_setting(rows: pd.DataFrame, good: float) -> dict[str, Any] | None:
    """The least work of all settings from which on their solver and method is right."""
    best: dict[str, Any] | None = None
    for solver, method in rows[CURVE].drop_duplicates().itertuples(index=False):
        found = sound_from(rows, solver, method, good)
        if found is None:
            continue
        own = (rows[CURVE] == [solver, method]).all(axis=1) & (rows["rtol"] == found)
        row = {str(name): value for name, value in rows[own].iloc[0].items()}
        if best is None or row["work"] < best["work"]:
            best = row
    return best


def _gain(row: Row, better: Row) -> str:
    """What the better setting has, against the default one."""
    text = f"error {error_text(better)}, {count(int(better['steps']), 'step')}"
    same = better["solver"] == row["solver"]
    controls = same and better["method"] == TANGENTS and row["method"] == STATES
    own = f", {seconds(better['seconds'])}" if math.isfinite(better["seconds"]) else ""
    return f"{text}{own}" + ("; it controls the error of the tangents" if controls else "")
