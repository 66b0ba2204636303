"""A certified reference beside its enclosures: proven digits, and contradictions."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import certificate
from gradaudit.certification.proof.process import Enclosures, run, unknown
from gradaudit.certification.proof.translate import texts
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model
from gradaudit.records.results import Digits, Proof, Reference

Array = NDArray[np.float64]


def proven(
    model: Model, reference: Reference, *, negligible: float, time_limit: float
) -> Reference:
    """The reference with its proof, as `with_proof` has it; what cannot be enclosed is told.

    Parameters
    ----------
    negligible
        As for the reference.
    time_limit
        Seconds for the enclosures.
    """
    started = time.perf_counter()
    enclosures = _enclosed(model, reference.times, time_limit)
    seconds = time.perf_counter() - started
    return with_proof(model, reference, enclosures, negligible=negligible, seconds=seconds)


def _enclosed(model: Model, times: Array, time_limit: float) -> Enclosures:
    """By the method for what is not stiff and, where that does not arrive, by the other one."""
    try:
        translated = texts(model)
    except TranslationError as error:
        return unknown(len(times), model.n, model.m, str(error))
    best, left = None, time_limit
    for implicit in (False, True):
        begun = time.perf_counter()
        share = left if implicit else 0.5 * left
        found = run(
            translated, model.nominal, times, model.n, implicit=implicit, time_limit=share
        )
        if best is None or found.reached > best.reached:
            best = found
        left -= time.perf_counter() - begun
        if best.ended == "ok":
            break
    assert best is not None
    return best


def with_proof(
    model: Model, reference: Reference, enclosures: Enclosures, *, negligible: float, seconds: float
) -> Reference:
    """The reference with digits that its enclosures prove, and without those that they refute.

    An entry is refuted if no number within its certified bound lies in its enclosure. Then the
    certificate is wrong, or the enclosure is; the reference is uncertified, and the entry has no
    digits and no bound.
    """
    extended = reference.extended
    assert extended is not None
    wrong_states = _refuted(extended.states, extended.state_bounds, enclosures.states)
    wrong = _refuted(extended.sensitivities, extended.sensitivity_bounds, enclosures.sensitivities)
    status = _status(reference.times, enclosures)
    if wrong.any() or wrong_states.any():
        what = _named(model, reference.times, wrong_states, wrong)
        status = f"contradiction: {what}"
        reference = _without(reference, wrong_states, wrong, status)
    scale = certificate.state_scale(
        reference.states, reference.sensitivities, model.parameter_scale
    )
    proof = Proof(
        states_lower=enclosures.states[0],
        states_upper=enclosures.states[1],
        sensitivities_lower=enclosures.sensitivities[0],
        sensitivities_upper=enclosures.sensitivities[1],
        digits=_digits(
            reference.sensitivities,
            enclosures.sensitivities,
            certificate.entry_thresholds(reference.sensitivities, scale, negligible=negligible),
        ),
        state_digits=_digits(
            reference.states,
            enclosures.states,
            certificate.value_thresholds(reference.states, negligible=negligible),
        ),
        status=status,
        seconds=seconds,
    )
    return replace(reference, proof=proof)


def _refuted(values: NDArray[Any], bounds: Array, ends: Array) -> NDArray[np.bool_]:
    """Entries that lie further from their enclosures than their bounds allow."""
    with np.errstate(invalid="ignore"):
        outside = np.maximum(ends[0] - values, values - ends[1])
        return np.asarray(outside > bounds)  # no comparison with NaN is true


def _digits(values: Array, ends: Array, threshold: Array) -> Digits:
    """Digits of float64 values that intervals prove: the largest distance to an end counts."""
    with np.errstate(invalid="ignore"):
        wrong = np.maximum(np.abs(values - ends[0]), np.abs(ends[1] - values))
    wrong = np.nextafter(np.nan_to_num(wrong, nan=np.inf, posinf=np.inf), np.inf)
    per_entry, least = certificate.held_digits(values, wrong, threshold)
    return Digits(per_entry, least)


def _status(times: Array, enclosures: Enclosures) -> str:
    if enclosures.ended == "ok":
        return "ok"
    reached = enclosures.reached
    until = f"proven until t = {times[reached - 1]:g}" if reached else "not proven"
    return f"{until}: {enclosures.ended}"


def _named(
    model: Model, times: Array, states: NDArray[np.bool_], sensitivities: NDArray[np.bool_]
) -> str:
    """The first entry that is refuted, in words."""
    names = list(model.states)
    if states.any():
        row, i = np.argwhere(states)[0]
        what = f"the state {names[i]!r}"
    else:
        row, i, j = np.argwhere(sensitivities)[0]
        what = f"the sensitivity of {names[i]!r} to {list(model.parameters)[j]!r}"
    return f"at t = {times[row]:g} {what} is outside of its proven enclosure"


def _without(
    reference: Reference, states: NDArray[np.bool_], sensitivities: NDArray[np.bool_], why: str
) -> Reference:
    """The reference without a certificate for the entries that are refuted."""
    extended = reference.extended
    assert extended is not None
    before = "" if reference.status == "ok" else f" ({reference.status})"
    return replace(
        reference,
        status=f"uncertified: {why}; one of the two is wrong, please report it{before}",
        digits=Digits(np.where(sensitivities, 0.0, reference.digits.per_entry)),
        state_digits=Digits(np.where(states, 0.0, reference.state_digits.per_entry)),
        extended=replace(
            extended,
            state_bounds=np.where(states, np.inf, extended.state_bounds),
            sensitivity_bounds=np.where(sensitivities, np.inf, extended.sensitivity_bounds),
        ),
    )
