"""What came back for a small model with a known answer: right, or said not to be, or silent.

A result is *silent* if it is wrong and nothing says so: that is what no way in may ever be.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import GradauditError, Model
from gradaudit.certification.certificate import entry_thresholds, state_scale
from gradaudit.errors import ModelWarning
from reports.known import KNOWN
from reports.truth import ClosedForm, Truth, truth

RTOL = 1e-8
WAYS = ("reference", "saltation", "forward_ad", "checked")


@dataclass(frozen=True, eq=False)
class Case:
    """A model, its closed form y(t, p) in mpmath, and how it is asked.

    `expected` is by way the beginning of the outcome that is known to be the best possible. Ways
    in that are not `quick` are asked only where the environment has GRADAUDIT_REPORTS=all.
    """

    name: str
    build: Callable[[], Model]
    solution: ClosedForm
    times: tuple[float, ...] = (0.0, 0.37, 1.0)
    ways: tuple[str, ...] = WAYS
    quick: tuple[str, ...] = ()
    expected: dict[str, str] | None = None
    jump_ts: tuple[float, ...] | None = None
    options: dict[str, Any] | None = None
    slow: bool = False
    marks: dict[str, Any] = field(default_factory=dict)


def params(cases: Sequence[Case], quick: tuple[str, ...] = ()) -> list[Any]:
    """Pairs of a case and a way, for `pytest.mark.parametrize`."""
    every = os.environ.get("GRADAUDIT_REPORTS") == "all"
    return [
        pytest.param(case, way, id=f"{case.name}-{way}", marks=_marks(case, way))
        for case in cases
        for way in case.ways
        if every or (way in (case.quick or quick) and not case.slow)
    ]


def _marks(case: Case, way: str) -> Any:
    reason = KNOWN.get((case.name, way))
    return case.marks.get(way, ()) if reason is None else pytest.mark.xfail(reason=reason)


def check(case: Case, way: str) -> str:
    """Assert that the outcome is not silent, and the expected one where that is known."""
    outcome = examine(case, way)
    assert not outcome.startswith("SILENT"), f"{case.name} by {way}: {outcome}"
    expected = (case.expected or {}).get(way)
    assert expected is None or outcome.startswith(expected), f"{case.name} by {way}: {outcome}"
    return outcome


def examine(case: Case, way: str) -> str:
    """Solve the case by one way; the outcome, which begins with one word."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            outcome = _ways()[way](_model(case), case)
        except GradauditError as error:
            return f"refused: {type(error).__name__}: {error}"
    said = [str(w.message) for w in caught if issubclass(w.category, ModelWarning)]
    if outcome.startswith("SILENT") and said:
        return f"warned: {said[0]} ({outcome})"
    return outcome


@lru_cache(maxsize=2)  # the ways of a case come one after the other
def _model(case: Case) -> Model:
    return case.build()


@lru_cache(maxsize=2)
def _truth(case: Case) -> Truth:
    return truth(case.solution, case.times, _model(case).nominal)


def _ways() -> dict[str, Callable[[Model, Case], str]]:
    return {
        "reference": _reference,
        "saltation": lambda model, case: _method(model, case, "saltation"),
        "forward_ad": lambda model, case: _method(model, case, "forward_ad"),
        "checked": _checked,
    }


def _reference(model: Model, case: Case) -> str:
    result = gradaudit.reference(model, np.array(case.times), time_limit=20.0)
    fault = overclaim(model, result, _truth(case))
    if fault:
        return f"SILENT {result.status}, {float(result.digits):.1f} digits: {fault}"
    if result.status == "ok":
        return f"right: {float(result.digits):.1f} digits"
    return result.status if result.status.startswith("uncertified") else f"status {result.status}"


def overclaim(model: Model, result: Any, true: Truth) -> str:
    """What a reference claims and does not hold, or ""."""
    S, digits = result.sensitivities, result.digits.per_entry
    scale = state_scale(result.states, S, model.parameter_scale)
    threshold = entry_thresholds(S, scale, negligible=1e-3)
    ok = result.status == "ok"
    negligible = np.isnan(digits)
    claimed = np.where(negligible, float(result.digits) if ok else 0.0, digits)
    natural = scale[:, None] / model.parameter_scale
    size = np.maximum(np.abs(S), np.where(S == 0.0, natural, threshold))
    bound = 10.0**-claimed * size + 1e-300
    error = np.abs(S - true.above)
    wrong = (claimed > 0.0) & ~(error <= bound)
    wrong |= (claimed > 0.0) & ~true.smooth
    if wrong.any():
        ratio = np.where(wrong, error / bound, 0.0)
        t, i, j = np.unravel_index(np.nanargmax(ratio), ratio.shape)
        return (
            f"S[t={result.times[t]:g}, {i}, {j}] = {S[t, i, j]:.17g} with {claimed[t, i, j]:.1f} "
            f"digits; true {true.below[t, i, j]:.17g} / {true.above[t, i, j]:.17g}"
        )
    held = result.state_digits.per_entry
    bound = 10.0**-held * np.abs(result.states)
    with np.errstate(invalid="ignore"):
        wrong = (held > 0.0) & ~(np.abs(result.states - true.states) <= bound)
    if wrong.any():
        t, i = np.argwhere(wrong)[0]
        return (
            f"y[t={result.times[t]:g}, {i}] = {result.states[t, i]:.17g}, "
            f"true {true.states[t, i]:.17g}"
        )
    return ""


def relative(model: Model, S: Any, true: Truth) -> float:
    """Largest error of a column, in relation to its largest entry; inf where there is no truth."""
    if not true.smooth.all():
        return np.inf
    exact = true.above
    scale = state_scale(true.states, exact, model.parameter_scale)[:, None]
    error = np.max(np.abs(S - exact) / scale, axis=(0, 1))
    size = np.max(np.abs(exact) / scale, axis=(0, 1))
    natural = 1e-6 / model.parameter_scale  # a column that is zero, or nearly
    return float(np.max(error / np.maximum(size, natural)))


def _method(model: Model, case: Case, method: str) -> str:
    options = {"rtol": RTOL} | (case.options or {})
    result = gradaudit.sensitivities(
        model, method=method, times=np.array(case.times),
        max_steps=20_000, **options,
    )  # fmt: skip
    if result.status != "ok":
        return f"status {result.status}"
    true = _truth(case)
    error = relative(model, result.sensitivities, true)
    if error <= 1e3 * RTOL:
        return f"right: {error:.1e}"
    if result.one_sided:
        return f"one-sided: {', '.join(result.one_sided)}"
    neglected = result.indicators.get("neglected", 0.0)
    if neglected > 0.01:
        return f"warned: neglected {neglected:.2g}"
    if result.estimates is not None:
        estimate = relative(
            model,
            true.above + result.estimates.sensitivities[:, : model.n],
            true,
        )
        if estimate >= error / 10.0:
            return f"estimated: {estimate:.1e} for {error:.1e}"
    indicator = {k: float(v) for k, v in result.indicators.items()}
    return f"SILENT error {error:.1e}, indicators {indicator}"


def _checked(model: Model, case: Case) -> str:
    start = model.initial_state or (lambda p: jnp.asarray(model.declared_state))
    times = np.array(case.times)
    options = {"rtol": RTOL} | (case.options or {})
    options.pop("estimate", None)
    result = gradaudit.checked_jacfwd(
        lambda ys: ys, model.vector_field, y0=start, ts=times, jump_ts=case.jump_ts,
        max_steps=20_000, **options,
    )(jnp.asarray(model.nominal))  # fmt: skip
    said = result.warnings.messages()
    true = _truth(case)
    scaled = np.asarray(result.jacobian - true.above) * model.parameter_scale
    exact = true.above * model.parameter_scale
    size = np.linalg.norm(exact)
    natural = 1e-10 * np.linalg.norm(true.states)
    error = float(np.linalg.norm(scaled)) / max(size, natural, 1e-300)
    if not true.smooth.all():
        error = np.inf
    high = float(result.interval[1])
    if said and not (high <= 0.1 and error <= 100.0 * RTOL):
        return f"warned: {said[0]}"
    if error <= max(3.0 * high, 100.0 * RTOL):
        return f"right: {error:.1e}, estimated up to {high:.1e}" + (f", {said[0]}" if said else "")
    return f"SILENT error {error:.1e}, estimated up to {high:.1e}, no message"
