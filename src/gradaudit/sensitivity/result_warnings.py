"""What is said of sensitivities that lack terms, exist from one side, or begin too small."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from gradaudit.errors import ModelWarning, first_few
from gradaudit.model.definition import Model
from gradaudit.model.derivative_check import along_the_solution
from gradaudit.model.one_sided import one_sided
from gradaudit.model.quadratures import initial_state
from gradaudit.records.results import Sensitivities
from gradaudit.sensitivity.hybrid_types import EVENT_COOLDOWN
from gradaudit.sensitivity.method import Method

UNSOLVED = ("non_finite", "step_underflow", "root_not_found", "max_steps", "failed")
"""Statuses of a solve that a derivative which is not finite may have stopped."""

UNRESOLVED = 1e-4
"""Embedded error of a step over the faint states that grow in it; see `solvers.faint_states`."""

NEGLECTED = 0.01
"""Of an entry of the sensitivities: so much may be missing without a word."""

_LEAVES_OUT = "leaves out what that adds to them (the saltation term)"


def told(
    model: Model, method: Method, result: Sensitivities, rtol: float, atol: float
) -> Sensitivities:
    """The result with what it says of derivatives that exist from one side only, and warnings."""
    if result.status != "ok":
        sentence = along_the_solution(model) if result.status in UNSOLVED else ""
        if sentence:
            text = f"model {model.name!r}: {result.status}: {sentence}"
            warnings.warn(text, ModelWarning, stacklevel=3)
        return result
    _warn_of_neglected_terms(model, method, result)
    _warn_of_faint_states(model, result, rtol, atol)
    values = np.concatenate([result.states, result.integrals], axis=1)
    slopes = np.concatenate([result.sensitivities, result.integral_sensitivities], axis=1)
    marked = np.isin(list(model.parameters), result.one_sided)
    for note in one_sided(model, result.times, values, slopes, near=10.0 * EVENT_COOLDOWN):
        marked |= note.columns
    names = tuple(name for name, mark in zip(model.parameters, marked, strict=True) if mark)
    if not names:
        return result
    warnings.warn(
        f"model {model.name!r}: derivatives with respect to {first_few(names)} are "
        "one-sided: an event or a switch that they move lies at an observation or at an end of the "
        "window, or the solution is put onto a threshold, off which they move it. The method gives "
        "one of the two or neither; move the observation, or the value of the parameter, to have a "
        "derivative.",
        ModelWarning,
        stacklevel=3,
    )
    return replace(result, one_sided=names)


def _warn_of_neglected_terms(model: Model, method: Method, result: Sensitivities) -> None:
    if result.indicators.get("neglected", 0.0) <= NEGLECTED:
        return
    cure = 'Take method="saltation"'
    if method.same_without_events:  # it has the terms of what is declared
        cure = "Declare the switch as an event"
    elif not model.events:
        cure = 'Declare the switch as an event, and take method="saltation"'
    warnings.warn(
        f"model {model.name!r}: a switch or a jump happens at a time that depends on the "
        f"parameters, and the method {method.name!r} {_LEAVES_OUT}: the sensitivities are wrong at "
        f"every tolerance. {cure}.",
        ModelWarning,
        stacklevel=4,
    )


def _warn_of_faint_states(model: Model, result: Sensitivities, rtol: float, atol: float) -> None:
    if result.indicators.get("faint", 0.0) <= UNRESOLVED:
        return
    sizes = np.abs(np.asarray(initial_state(model, model.nominal)))
    small = (sizes > 0.0) & (sizes < atol / rtol)
    begins = [name for name, faint in zip(model.states, small, strict=True) if faint]
    lower = 1e-3 * rtol * (float(np.min(sizes[small])) if begins else 1e-3 * atol / rtol)
    which = f"{first_few(begins)} from the start" if begins else "some of the time"
    warnings.warn(
        f"model {model.name!r}: states are smaller than atol / rtol = {atol / rtol:.0e} ({which}) "
        "and grow from there. Steps then follow atol, and the relative error of these states grows "
        f"with them. Lower atol to about {lower:.0e} (in a configuration: atol_factor).",
        ModelWarning,
        stacklevel=4,
    )


@contextmanager
def neglected_terms_told_elsewhere() -> Iterator[None]:
    """Without the warning of neglected terms, for callers that tell of ``neglected`` themselves."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", f".*{re.escape(_LEAVES_OUT)}", ModelWarning)
        yield
