"""Judging drawn models: what a certificate claims against the independent solution."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import jax.numpy as jnp
import numpy as np

import gradaudit
from gradaudit import GradauditError
from gradaudit.certification.certificate import entry_thresholds, state_scale
from gradaudit.checked import checked_jacfwd
from gradaudit.records.results import Reference
from gradaudit.sensitivity import programs  # noqa: F401  (imported outside of what hypothesis runs)
from reports.grammar import Spec, build
from reports.piecewise import Truth, UndefinedError, truth

FAULTY = ("depends on the order", "slides", "endless")  # where nothing can be certified
SLACK = 4e-16  # of a number: what float64 holds of it


@dataclass
class Tally:
    """What was drawn and what became of it."""

    outcomes: Counter[str] = field(default_factory=Counter)
    solvers: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[Spec, str]] = field(default_factory=list)
    worst: float = 0.0

    def __str__(self) -> str:
        drawn = sum(self.outcomes.values())
        lines = [f"{drawn} models drawn, worst true error over claimed error {self.worst:.3g}"]
        lines += [f"{count:6d}  {what}" for what, count in self.outcomes.most_common()]
        lines += [f"{count:6d}  {what}" for what, count in self.solvers.most_common()]
        lines += [f"{fault}\n    {spec}" for spec, fault in self.findings]
        return "\n".join(lines)


def judge(spec: Spec) -> tuple[str, str, float]:
    """The outcome in a few words, the fault or "", and the ratio of true to claimed error."""
    try:
        true, undefined = truth(spec), ""
    except UndefinedError as error:
        true, undefined = None, str(error)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = build(spec)
            result = gradaudit.reference(model, np.array(spec.times), time_limit=20.0)
        except GradauditError as error:
            return f"refused: {type(error).__name__}: {_reason(str(error))}", "", 0.0
    ok = result.status == "ok"
    if true is None:
        faulty = ok and undefined in FAULTY
        fault = f"certified, {undefined}" if faulty else ""
        return f"{'ok' if ok else _reason(result.status)}, undefined: {undefined}", fault, 0.0
    fault, ratio = overclaim(model, result, true)
    what = "certified" if ok else _reason(result.status)
    if fault and true.degenerate:  # what is right there is a matter of definition, or known
        return f"{what} wrongly: {true.degenerate}", "", ratio
    if not ok and not np.isnan(true.derivatives).any():
        what += ", although there is a derivative"
    return what, fault, ratio


def judge_solvers(spec: Spec) -> tuple[str, str]:
    """The outcome of the method "saltation", or of a checked Jacobian where nothing jumps."""
    try:
        true, undefined = truth(spec), ""
    except UndefinedError as error:
        true, undefined = None, str(error)
    model, times = build(spec), np.array(spec.times)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if spec.jumps or not spec.switches:
                way = "saltation"
                result = gradaudit.sensitivities(model, method=way, rtol=1e-8, times=times)
                said, S = result.status != "ok" or bool(result.one_sided), result.sensitivities
                bound = 1e-4
            else:
                way = "checked"
                start = model.initial_state or (lambda p: jnp.asarray(model.declared_state))
                checked = checked_jacfwd(
                    lambda ys: ys, model.vector_field, y0=start, ts=times, rtol=1e-8
                )(jnp.asarray(model.nominal))
                said, S = bool(checked.warnings.any), np.asarray(checked.jacobian)
                bound = 1e-4 + 10.0 * float(checked.interval[1])
        except GradauditError as error:
            return f"{way} refused: {type(error).__name__}", ""
    if said:
        return f"{way} said so", ""
    if true is None:
        return f"{way} silent", f"{way}: silent, {undefined}" if undefined in FAULTY else ""
    if true.degenerate:
        return f"{way}: {true.degenerate}", ""
    scale = state_scale(true.states, np.nan_to_num(S), model.parameter_scale)[:, None]
    size = np.max(np.abs(true.derivatives) / scale, axis=(0, 1))
    error = (np.abs(S - true.derivatives) - true.errors) / scale / (size + 1e-3)
    wrong = np.max(np.where(np.isnan(error), np.inf, error))
    if not wrong <= bound:
        entry = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
        return f"{way} silent", (
            f"{way}: silent at {entry}: {S[entry]:.6g}, true {true.derivatives[entry]:.6g}"
        )
    return f"{way} right", ""


def overclaim(model: gradaudit.Model, result: Reference, true: Truth) -> tuple[str, float]:
    """Where a certificate claims more than holds, and the largest ratio of the two errors."""
    S, digits = result.sensitivities, result.digits.per_entry
    scale = state_scale(result.states, S, model.parameter_scale)
    threshold = entry_thresholds(S, scale, negligible=1e-3)
    whole = float(result.digits) if result.status == "ok" else 0.0
    claimed = np.where(np.isnan(digits), whole, digits)
    natural = scale[:, None] / model.parameter_scale
    size = np.maximum(np.abs(S), np.where(S == 0.0, natural, threshold))
    bound = (10.0**-claimed + SLACK) * size + 1e-290
    with np.errstate(invalid="ignore"):
        error = np.abs(S - true.derivatives)
        ratio = np.where(np.isnan(true.derivatives), np.inf, error / (bound + true.errors))
    ratio = np.where(claimed > 0.0, ratio, 0.0)
    held = result.state_digits.per_entry
    states = np.abs(result.states - true.states)
    states = states / (10.0**-held * np.abs(result.states) + 1e-13 * (1 + np.abs(true.states)))
    states = np.where(held > 0.0, states, 0.0)
    if np.max(states, initial=0.0) > 2.0:
        t, i = np.unravel_index(np.argmax(states), states.shape)
        return (
            f"{result.status}: y{i}({result.times[t]:g}) = {result.states[t, i]:.12g}, "
            f"true {true.states[t, i]:.12g}"
        ), float(states.max())
    if np.max(ratio, initial=0.0) > 2.0:
        t, i, j = np.unravel_index(np.argmax(ratio), ratio.shape)
        return (
            f"{result.status}: dy{i}/dp{j}({result.times[t]:g}) = {S[t, i, j]:.12g} with "
            f"{claimed[t, i, j]:.1f} digits, true {true.derivatives[t, i, j]:.12g} "
            f"+- {true.errors[t, i, j]:.1e}"
        ), float(ratio.max())
    return "", float(np.max(ratio, initial=0.0))


def smallest(spec: Spec, still: Callable[[Spec], bool]) -> Spec:
    """Leave out what is not needed for a finding."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _simpler(spec):
            if still(candidate):
                spec, smaller = candidate, True
                break
    return spec


def _simpler(spec: Spec) -> Iterator[Spec]:
    for name in ("jumps", "switches", "terms", "times"):
        parts = getattr(spec, name)
        for k in range(len(parts)):
            fewer = (*parts[:k], *parts[k + 1 :])
            if fewer or name not in ("terms", "times"):
                yield replace(spec, **{name: fewer})


def _reason(status: str) -> str:
    """The words of a status or a message without its names and numbers."""
    text = status.split(";")[0].split(" after t = ")[0].split("model 'drawn': ")[-1]
    for kind in ("one-sided", "depends on its", "depends on their", "happens at t = 0"):
        if kind in status:
            return f"{text.split(':')[0]}: {kind}"[:60]
    return text[:60]
