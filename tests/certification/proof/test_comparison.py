"""Proven digits and contradictions, with enclosures that are made up in place of CAPD's."""

from __future__ import annotations

import numpy as np
import pytest

import gradaudit
from gradaudit.certification.proof.comparison import with_proof
from gradaudit.certification.proof.process import Enclosures, check_installed, run, unknown
from gradaudit.certification.proof.translate import texts
from gradaudit.errors import MissingExtraError
from library_models import DECLARED

MODEL = DECLARED["logistic"]
TIMES = np.array([0.0, 1.0, 2.0])


@pytest.fixture(scope="module")
def certified():
    return gradaudit.reference(MODEL, TIMES)


def around(reference, width: float) -> Enclosures:
    """Intervals of a relative half-width around the reference."""
    states, slopes = reference.states, reference.sensitivities
    ends = np.array([-1.0, 1.0])
    return Enclosures(
        states + ends[:, None, None] * width * np.abs(states),
        slopes + ends[:, None, None, None] * width * np.abs(slopes),
        len(TIMES),
        "ok",
    )


def proof_of(reference, enclosures):
    return with_proof(MODEL, reference, enclosures, negligible=1e-3)


def test_the_width_of_an_enclosure_is_what_is_proven(certified):
    result = proof_of(certified, around(certified, 1e-9))
    assert result.proof.status == "ok"
    assert float(result.proof.digits) == pytest.approx(9.0, abs=0.01)
    assert float(result.proof.state_digits) == pytest.approx(9.0, abs=0.01)
    # zero at the start, and so without digits of their own
    np.testing.assert_array_equal(
        np.isnan(result.proof.digits.per_entry), np.isnan(certified.digits.per_entry)
    )
    assert (result.status, result.digits) == (certified.status, certified.digits)


def test_the_farther_end_counts(certified):
    enclosures = around(certified, 1e-12)
    enclosures.sensitivities[1] += 1e-6 * np.abs(certified.sensitivities)
    result = proof_of(certified, enclosures)
    assert float(result.proof.digits) == pytest.approx(6.0, abs=0.01)


def test_what_is_not_reached_has_no_digits_and_the_certificate_stays(certified):
    enclosures = around(certified, 1e-12)
    enclosures.states[:, 2], enclosures.sensitivities[:, 2] = (
        [[-np.inf], [np.inf]],
        [
            [[-np.inf]],
            [[np.inf]],
        ],
    )
    cut = Enclosures(enclosures.states, enclosures.sensitivities, 2, "the time limit came")
    result = proof_of(certified, cut)
    assert result.proof.status == "proven until t = 1: the time limit came"
    assert float(result.proof.digits) == 0.0
    assert np.nanmin(result.proof.digits.per_entry[1]) > 11.0
    assert result.status == "ok"


def test_nothing_known_contradicts_nothing(certified):
    result = proof_of(certified, unknown(3, MODEL.n, MODEL.m, "no reason"))
    assert result.proof.status == "not proven: no reason"
    assert float(result.proof.digits) == 0.0
    assert result.status == "ok"


@pytest.mark.parametrize("part", ["states", "sensitivities"])
def test_a_certificate_outside_of_its_enclosure_is_none(certified, part):
    enclosures = around(certified, 1e-9)
    entry = (slice(None), 2, 0) if part == "states" else (slice(None), 2, 0, 1)
    moved = getattr(enclosures, part)
    moved[entry] *= 1.0 + 1e-6  # further than both the enclosure and the certificate allow
    result = proof_of(certified, enclosures)
    assert result.proof.status.startswith("contradiction: at t = 2 ")
    assert result.status.startswith("uncertified: contradiction: at t = 2 ")
    held = result.state_digits if part == "states" else result.digits
    assert (float(held), held.per_entry[entry[1:]]) == (0.0, 0.0)
    bounds = (
        result.extended.state_bounds if part == "states" else result.extended.sensitivity_bounds
    )
    assert np.isinf(bounds[entry[1:]])
    assert np.isinf(bounds).sum() == 1


def test_a_disagreement_that_the_bound_explains_is_no_contradiction(certified):
    enclosures = around(certified, 0.0)
    bound = certified.extended.sensitivity_bounds
    enclosures.sensitivities[:] += 0.5 * bound
    enclosures.states[:] = certified.states
    assert proof_of(certified, enclosures).proof.status == "ok"


def test_without_capd_the_extra_is_named_and_the_process_says_so(monkeypatch):
    monkeypatch.setattr("gradaudit.certification.proof.process.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'gradaudit\[proof\]'"):
        check_installed()
    with pytest.raises(MissingExtraError, match="capdpy"):
        gradaudit.reference(MODEL, TIMES, proof=True)


def test_a_process_that_takes_too_long_is_ended():
    found = run(texts(MODEL), MODEL.nominal, TIMES, MODEL.n, order=20, longest=1.0, time_limit=1e-3)
    assert (found.reached, found.ended) == (0, "the time limit came")
    assert np.isinf(found.sensitivities).all()
