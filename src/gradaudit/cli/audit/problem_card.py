"""What an audit of a problem says first: nine lines about the gradient in the default setting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gradaudit.cli.audit.table import cheapest
from gradaudit.cli.audit.tried import (
    Row,
    answer,
    error_text,
    failures,
    inaccurate,
    setting,
    silently_wrong,
    sound_from,
    usual_row,
)
from gradaudit.evaluation.gradient_error import norm
from gradaudit.problem.audit_table import NOT_INTEGRATED
from gradaudit.problem.ladder import NOT_RUN
from gradaudit.report.numbers import count, number, rounded_down, seconds, tolerance

if TYPE_CHECKING:
    from gradaudit.problem.certified import ReferenceGradient
    from gradaudit.problem.definition import Problem
    from gradaudit.problem.needed import Metric

CHANGE = 1e-2  # of a step, or of an acceptance
SHARE = 0.1  # a condition or observable with less of the error is not named
NAMED = 3
NONE = "none"


@dataclass(frozen=True, kw_only=True)
class ProblemAudit:
    """The outcome of an audit of a problem at its nominal parameters.

    Attributes
    ----------
    exact, reason
        The certified gradient, or None and why there is none.
    metric
        Lengths in standard errors there; None where these are not known.
    accuracy
        The wanted error.
    good, horrible
        Errors up to `good` are right, above `horrible` wrong.
    table
        Of `gradaudit.problem.audit_table`.
    left_out
        How many settings were not run, to save time.
    """

    problem: Problem
    exact: ReferenceGradient | None
    reason: str
    accuracy: float
    good: float
    horrible: float
    table: pd.DataFrame
    left_out: int = 0
    metric: Metric | None = None

    @cached_property
    def today(self) -> Row:
        """The usual setting: see `gradaudit.cli.audit.tried.usual_row`."""
        return usual_row(self.table)

    @cached_property
    def sound_from(self) -> float | None:
        """The loosest tolerance of that solver and method from which on all errors are good."""
        return sound_from(self.table, self.today["solver"], self.today["method"], self.good)

    @cached_property
    def cheapest(self) -> tuple[Row | None, str]:
        """The cheapest setting that reaches the accuracy, or None and why."""
        return cheapest(self.table, self.accuracy)

    @cached_property
    def needed(self) -> dict[str, Row | None]:
        """The cheapest settings that change a step of L-BFGS, and an acceptance, by 1 % at most.

        See `gradaudit.problem.needed`; empty where nothing is known.
        """
        if self.metric is None or self.exact is None:
            return {}
        from gradaudit.problem.effects import changes
        from gradaudit.problem.needed import TRAJECTORY, energy_allowed

        exact, metric = self.exact, self.metric
        wrong = [np.asarray(own) - exact.gradient for own in self.table["gradient"]]
        found = [changes(metric, exact, own) for own in wrong]
        energy = energy_allowed(CHANGE) / TRAJECTORY
        limits = {
            "a step of L-BFGS": ("step_change", CHANGE),
            "an acceptance in HMC": ("energy", energy),
        }
        return {
            goal: cheapest(
                self.table.assign(
                    error=[own[name] for own in found],
                    resolution=[own[f"{name}_doubt"] for own in found],
                ),
                limit,
            )[0]
            for goal, (name, limit) in limits.items()
        }

    @cached_property
    def answer(self) -> str:
        """Whether the default gradient is right, in a word."""
        row = self.today
        if row["status"] == "ok" and row["verdict"] == NOT_INTEGRATED:
            return "not_integrated"
        return answer(row, self.good, self.horrible)


def card(audit: ProblemAudit) -> dict[str, str]:
    """The lines of the card by what they are about."""
    return {
        "problem": _problem(audit.problem),
        "reference": _reference(audit),
        "today": _today(audit),
        "worst entry": _entry(audit),
        "right from": _sound(audit),
        "error from": _origin(audit),
        "fails": _failures(audit),
        "cheapest": _cheapest(audit),
        "needed": _needed(audit),
    }


def _problem(problem: Problem) -> str:
    conditions = {m.condition for m in problem.measurements}
    observables = {m.observable for m in problem.measurements}
    return ", ".join(
        (
            count(len(problem.parameters), "parameter"),
            count(len(problem.measurements), "measurement"),
            count(len(conditions), "condition"),
            count(len(observables), "observable"),
        )
    )


def _reference(audit: ProblemAudit) -> str:
    exact = audit.exact
    if exact is None:
        return f"{NONE}: {audit.reason}"
    size = f"|gradient| = {norm(exact.gradient):.7g}"
    if exact.status == "ok":
        return f"certified to {rounded_down(float(exact.digits))} digits; {size}{_steady(audit)}"
    resolution = audit.today["resolution"]
    if math.isfinite(resolution):
        return f"{exact.status}; its own error: {number(resolution, 2)}; {size}"
    return exact.status


def _steady(audit: ProblemAudit) -> str:
    """What no row of the table has an error of."""
    problem = audit.problem
    at_rest = {
        m.condition
        for m in problem.measurements
        if math.isinf(m.time) or problem.conditions[m.condition].before is not None
    }
    if not at_rest:
        return ""
    return (
        f"; steady states, in {count(len(at_rest), 'condition')}, are certified ones in every row, "
        "so that no error contains that of a steady state"
    )


def _today(audit: ProblemAudit) -> str:
    row = audit.today
    words = setting(row)
    match audit.answer:
        case "not_integrated":
            return "nothing is integrated: only steady states are measured, and they are certified"
        case "none":
            return f"{words}: NO GRADIENT ({row['status']})"
        case "unknown":
            return f"{words}: unknown, the reference has too few certified digits"
    return f"{words}: {audit.answer.upper()}, relative error {error_text(row)}"


def _entry(audit: ProblemAudit) -> str:
    row, exact = audit.today, audit.exact
    if audit.answer == "not_integrated":
        return NONE
    if not row["parameter"] or exact is None:
        return "unknown"
    index = exact.parameters.index(row["parameter"])
    mine, right = row["gradient"][index], exact.gradient[index]
    return (
        f"{row['parameter']}: {mine:.4g}, certified {right:.4g} "
        f"(relative error {number(row['parameter_error'], 2)})"
    )


def _sound(audit: ProblemAudit) -> str:
    row, limit = audit.today, tolerance(audit.good)
    curve = f"{row['solver']}, {row['method']}"
    if audit.answer == "not_integrated":
        return NONE
    if audit.sound_from is None:
        if audit.exact is None or (audit.table["verdict"] == "unknown").any():
            return "unknown"
        return f"no tolerance that was tried ({curve})"
    return f"rtol {tolerance(audit.sound_from)} and tighter: error at most {limit} ({curve})"


def _origin(audit: ProblemAudit) -> str:
    row = audit.today
    if audit.answer == "not_integrated":
        return NONE
    parts = [_shares("condition", row["conditions"]), _shares("observable", row["observables"])]
    text = "; ".join(filter(None, parts))
    if not text and audit.answer == "right":
        return "not resolved: the error is as small as that of the reference"
    return text or "unknown"


def _shares(noun: str, shares: Mapping[str, float]) -> str:
    named = [(name, own) for name, own in shares.items() if abs(own) >= SHARE][:NAMED]
    texts = [f"{name} ({100.0 * share:.0f} %)" for name, share in named]
    if not texts:
        return ""
    return f"{noun if len(texts) == 1 else noun + 's'} {', '.join(texts)}"


def _failures(audit: ProblemAudit) -> str:
    wrong = list(silently_wrong(audit.table, audit.horrible))
    lost = list(failures(audit.table, passed_over=(NOT_RUN,)))
    parts = [f"silently: {', '.join(wrong)}"] if wrong else []
    parts += [f"with a status: {', '.join(lost)}"] if lost else []
    rest = inaccurate(audit.table, audit.good, audit.horrible)
    return "; ".join([*(parts or ["nothing"]), *([rest] if rest else [])])


def _cheapest(audit: ProblemAudit) -> str:
    row, reason = audit.cheapest
    goal = f"for an error of {tolerance(audit.accuracy)}"
    if audit.answer == "not_integrated":
        return NONE
    if row is None:
        if audit.exact is None or (audit.table["verdict"] == "unknown").any():
            reason = "the reference has too few digits" if audit.exact else "there is no reference"
        return f"{goal}: no setting is known, {reason}"
    return f"{goal}: {setting(row)} ({seconds(row['seconds'])}, {row['steps']:.0f} steps)"


def _needed(audit: ProblemAudit) -> str:
    if audit.answer == "not_integrated":
        return NONE
    if not audit.needed:
        return "unknown"
    words = {
        goal: "no setting is known" if row is None else setting(row)
        for goal, row in audit.needed.items()
    }
    return "; ".join(f"for {goal} to within 1 %: {own}" for goal, own in words.items())
