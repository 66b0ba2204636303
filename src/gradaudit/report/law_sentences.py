"""Q1 in sentences: how the accuracy of the gradient depends on that of the solution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.analysis.scaling_laws import ENOUGH_SETTINGS, EVERYWHERE
from gradaudit.model.mechanism import Mechanism, Trait, having, label_of
from gradaudit.records.labels import VERDICTS, method_name
from gradaudit.report.numbers import count, listed, number, sentence_case, series, tolerance

AXES = {
    "stiffness": "stiffness",
    "window": "the length of the window",
    "distance": "the distance to a bifurcation",
}


def answer(laws: pd.DataFrame, regimes: pd.DataFrame) -> list[str]:
    """The sentences; each is left out where its table has nothing to say."""
    if laws.empty:
        return ["No law can be fitted: nothing was audited."]
    candidates = [
        _overall(laws),
        _factors(laws),
        _stepping(laws),
        _exact(laws, regimes),
        _stuck(laws),
        _stiff(regimes),
        *(along(laws, law) for law in AXES),
    ]
    return [sentence for sentence in candidates if sentence]


def power(row: Mapping[Any, Any]) -> str:
    """An exponent with its interval."""
    return f"{row['exponent']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def pooled(
    laws: pd.DataFrame, law: str, *, method: str = "forward_ad", **where: str
) -> Mapping[Any, Any] | None:
    """The fitted law over everything, a mechanism or a stepping; None where there is none."""
    conditions = {"mechanism": EVERYWHERE, "stepping": EVERYWHERE} | where | {"method": method}
    rows = laws[(laws["law"] == law) & (laws["status"] == "ok")]
    for name, value in conditions.items():
        rows = rows[rows[name] == value]
    return rows.iloc[0].to_dict() if len(rows) else None


def _overall(laws: pd.DataFrame) -> str:
    state, rtol = pooled(laws, "state_error"), pooled(laws, "tolerance")
    if state is None or rtol is None:
        return (
            "There is no law over all models: too few gradients of converging tolerance series "
            "have an error above rounding."
        )
    points = count(int(state["points"]), "gradient")
    return (
        f"Where forward AD converges, the error of the gradient is {number(state['ratio'], 2)} "
        f"times that of the states in the median (middle half: {number(state['ratio_low'], 2)} to "
        f"{number(state['ratio_high'], 2)} times). It follows the error of the states to the power "
        f"{power(state)}, and the tolerance to the power {power(rtol)}. The intervals are 95 %, "
        f"{state['interval']}; {points} have an error above rounding and below 1."
    )


def _factors(laws: pd.DataFrame) -> str:
    """Which mechanism amplifies the error the least, and which the most."""
    rows = laws[
        (laws["law"] == "state_error")
        & (laws["method"] == "forward_ad")
        & (laws["mechanism"] != EVERYWHERE)
        & (laws["status"] == "ok")
    ].sort_values("ratio")
    if len(rows) < 2:
        return ""
    low, high = rows.iloc[0], rows.iloc[-1]
    least, most = float(rows["exponent"].min()), float(rows["exponent"].max())
    same = "is similar in" if most - least < 0.3 else "differs between"
    return (
        f"The exponent {same} all {len(rows)} mechanisms that have a law, from {least:.2f} to "
        f"{most:.2f}; the factor is from "
        f"{number(low['ratio'], 2)} ({low['mechanism']}) to {number(high['ratio'], 2)} "
        f"({high['mechanism']})."
    )


def _stepping(laws: pd.DataFrame) -> str:
    parts: list[str] = []
    for stepping in ("explicit", "implicit"):
        row = pooled(laws, "tolerance", stepping=stepping)
        state = pooled(laws, "state_error", stepping=stepping)
        if row is not None and state is not None:
            subject = "it" if parts else "the error of the gradient"
            parts.append(
                f"by {stepping} solvers {subject} follows rtol to the power {power(row)}, and is "
                f"{number(state['ratio'], 2)} times that of the states"
            )
    return f"{sentence_case('; '.join(parts))}." if parts else ""


def _exact(laws: pd.DataFrame, regimes: pd.DataFrame) -> str:
    """Mechanisms with exact states, where the solution does not predict the gradient."""
    rows = _mechanisms(laws, "state_exact")
    if not rows:
        return ""
    plain = regimes[(regimes["method"] == "forward_ad") & regimes["mechanism"].isin(rows)]
    controlled = regimes[
        (regimes["method"] == "forward_sensitivity") & regimes["mechanism"].isin(rows)
    ]
    text = (
        f"No such law exists where the states are integrated exactly ({listed(rows)}). The "
        "states have no error there, but of the tolerance series of main functionals forward AD "
        f"is good on {int(plain['good'].sum())} of {int(plain['ladders'].sum())}"
    )
    if len(controlled):
        text += (
            f", {method_name('forward_sensitivity')} on "
            f"{int(controlled['good'].sum())} of {int(controlled['ladders'].sum())}"
        )
    return f"{text}."


def _stuck(laws: pd.DataFrame) -> str:
    rows = _mechanisms(laws, "not_converging")
    everywhere = pooled(laws, "tolerance")
    besides = "not counting numbers of events and gradients that are 0"
    left = f" ({series(int(everywhere['left_out']))}, {besides})" if everywhere else ""
    if not rows:
        return ""
    head = "No such law exists either" if _mechanisms(laws, "state_exact") else "No such law exists"
    return (
        f"{head} where forward AD does not converge{left}. Among these are most tolerance series "
        f"of {listed(rows)}. A smaller error of the states does not reduce the error of these "
        "gradients."
    )


def _stiff(regimes: pd.DataFrame) -> str:
    """Stiffness by itself, as the models that are stiff and slow have it."""
    rows = regimes[
        (regimes["method"] == "forward_ad") & regimes["mechanism"].isin(having(Trait.STIFF))
    ]
    if rows.empty:
        return "No model of this configuration is stiff and slow, so stiffness alone is not tested."
    parts = [
        f"{listed(_counts(row))} of {series(int(row['ladders']))} by {row['stepping']} solvers"
        for row in rows.to_dict("records")
    ]
    name = label_of(Mechanism.STIFF).lower()
    return f"Stiffness alone ({name}), forward AD: {'; '.join(parts)}."


def along(laws: pd.DataFrame, law: str) -> str:
    """The law along an axis, or that the configuration has too few settings of it."""
    rows = laws[(laws["law"] == law) & (laws["method"] == "forward_ad")]
    parts = [
        f"that of {model} {' and '.join(_grown(own))}"
        for model, own in rows[rows["status"] == "ok"].groupby("model", sort=False)
    ]
    name = AXES[law]
    others = rows[rows["status"] != "ok"]
    missing = sorted(set(others["model"]) - set(rows.loc[rows["status"] == "ok", "model"]))
    few = (
        f"for {listed(missing)} no exponent can be fitted, as fewer than {ENOUGH_SETTINGS} "
        "settings of it have tolerance series that converge"
        if missing
        else ""
    )
    if parts:
        tail = f"; {few}" if few else ""
        first = parts[0].removeprefix("that ")
        text = "; ".join([first, *parts[1:]])
        return f"With {name} the error of a forward-AD gradient {text}{tail}."
    if missing:
        return f"The law with {name} is not measured by this configuration: {few}."
    return f"No model of this configuration varies {name}."


def _grown(rows: pd.DataFrame) -> list[str]:
    """How the error of one model grows by each kind of solver; what they share is said once."""
    parts: list[str] = []
    before = ""
    for row in rows.to_dict("records"):
        growth, exponent = _growth(row)
        numbers = (
            f"by {row['stepping']} solvers ({exponent}{count(int(row['abscissae']), 'setting')}, "
            f"{count(int(row['points']), 'gradient')})"
        )
        parts.append(numbers if growth == before else f"{growth} {numbers}")
        before = growth
    return parts


def _growth(row: Mapping[Any, Any]) -> tuple[str, str]:
    """That it grows or falls, if its interval says so, and how; otherwise the exponent apart."""
    exponential = row["form"] == "exponential"
    if row["low"] <= 0.0 <= row["high"]:
        return (
            "does not measurably change",
            f"{'rate' if exponential else 'exponent'} {power(row)}, ",
        )
    if exponential:
        form = f"exp(r {row['axis']}), r = {power(row)},"
    else:
        form = f"{row['axis']} to the power {power(row)}"
    return f"{'grows' if row['low'] > 0.0 else 'falls'} like {form}", ""


def _mechanisms(laws: pd.DataFrame, status: str) -> list[str]:
    rows = laws[
        (laws["law"] == "state_error")
        & (laws["method"] == "forward_ad")
        & (laws["mechanism"] != EVERYWHERE)
        & (laws["status"] == status)
    ]
    return [str(name) for name in dict.fromkeys(rows["mechanism"])]


def _counts(row: Mapping[Any, Any]) -> list[str]:
    return [f"{int(row[word])} {word}" for word in VERDICTS if row[word]]


def ladder_rule(laws: pd.DataFrame, good: float) -> str:
    """For the checklist: the tolerance that the median law requires."""
    state, rtol = pooled(laws, "state_error"), pooled(laws, "tolerance")
    if state is None or rtol is None or not np.isfinite(rtol["intercept"]):
        return ""
    required = 10.0 ** ((np.log10(good) - rtol["intercept"]) / rtol["exponent"])
    if not 1e-16 < required < 1.0:
        return ""
    return (
        f"By the median law, {method_name('forward_ad')} reaches an error of {number(good)} at "
        f"rtol {tolerance(required)} where it converges; about half of the gradients need a "
        "tighter tolerance. The error of the gradient is, in the median, "
        f"{number(state['ratio'], 2)} times that of the states."
    )
