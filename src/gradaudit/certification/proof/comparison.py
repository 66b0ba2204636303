"""A certified reference beside its enclosures: proven digits, and contradictions."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import certificate
from gradaudit.certification.proof.process import Enclosures, intersection, run, unknown
from gradaudit.certification.proof.translate import Units, texts
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model
from gradaudit.records.results import Digits, Proof, Reference

Array = NDArray[np.float64]

ATTEMPTS = ((20, 1), (12, 1), (20, 1000), (12, 1000), (20, 10_000), (8, 10_000))
"""Orders of the Taylor method, and into how many pieces the window is cut at least.

Where a step is many times as long as the fastest decay, the terms of its Taylor polynomial cancel
and its enclosure is wide; a lower order takes shorter steps, and so does a piece.
"""

ENOUGH = 8.0  # proven digits, after which no other setting is tried
SHARE = 0.5  # of the time that is left, for one setting

UNUSUAL = 1e-100
"""What is smaller, or larger than its inverse, gets no unit of its own."""


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
    enclosures = _enclosed(model, reference, negligible, time_limit)
    result = with_proof(model, reference, enclosures, negligible=negligible)
    assert result.proof is not None
    seconds = time.perf_counter() - started
    return replace(result, proof=replace(result.proof, seconds=seconds))


def _enclosed(
    model: Model, reference: Reference, negligible: float, time_limit: float
) -> Enclosures:
    """The intersection of the enclosures by one setting after the other, as far as time goes."""
    times, left = reference.times, time_limit
    nothing = partial(unknown, len(times), model.n, model.m)
    try:
        translated = texts(model, _units(model, reference.states))
    except TranslationError as error:
        return nothing(str(error))
    found = nothing("the time limit came")
    for order, pieces in ATTEMPTS:
        begun = time.perf_counter()
        own = run(
            translated, model.nominal, times, model.n,
            order=order, longest=model.t_end / pieces, time_limit=SHARE * left,
        )  # fmt: skip
        both = intersection(found, own)
        if both is None:
            return nothing("two enclosures by CAPD do not meet, of which one is wrong")
        found = both
        left -= time.perf_counter() - begun
        if float(proof_of(model, reference, found, negligible=negligible).digits) >= ENOUGH:
            break
    return found


def _units(model: Model, states: Array) -> Units:
    """Powers of two of the size of the window, the largest states and the parameters."""

    def exponent(size: float) -> int:
        usual = np.isfinite(size) and UNUSUAL < size < 1.0 / UNUSUAL
        return int(np.frexp(size)[1]) if usual else 0

    sizes = np.max(np.abs(states), axis=0, initial=0.0)
    return Units(
        exponent(model.t_end),
        tuple(map(exponent, sizes)),
        tuple(map(exponent, np.abs(model.nominal))),
    )


def with_proof(
    model: Model, reference: Reference, enclosures: Enclosures, *, negligible: float
) -> Reference:
    """The reference with digits that its enclosures prove, and without those that they refute.

    An entry is refuted if no number within its certified bound lies in its enclosure. Then the
    certificate is wrong, or the enclosure is; the reference is uncertified, and the entry has no
    digits and no bound.
    """
    extended = reference.extended
    assert extended is not None
    proof = proof_of(model, reference, enclosures, negligible=negligible)
    wrong_states = _refuted(extended.states, extended.state_bounds, enclosures.states)
    wrong = _refuted(extended.sensitivities, extended.sensitivity_bounds, enclosures.sensitivities)
    if not (wrong.any() or wrong_states.any()):
        return replace(reference, proof=proof)
    why = f"contradiction: {_named(model, reference.times, wrong_states, wrong)}"
    doubted = _without(reference, wrong_states, wrong, why)
    return replace(doubted, proof=replace(proof, status=why))


def proof_of(
    model: Model, reference: Reference, enclosures: Enclosures, *, negligible: float
) -> Proof:
    """The digits of the reference's float64 values that enclosures prove."""
    scale = certificate.state_scale(
        reference.states, reference.sensitivities, model.parameter_scale
    )
    return Proof(
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
        status=_status(reference.times, enclosures),
        seconds=0.0,
    )


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
