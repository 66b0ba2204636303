"""Errors of a Fisher information against the certified one."""

from __future__ import annotations

import numpy as np
import pytest

from gradaudit.evaluation.information import information
from gradaudit.evaluation.information_error import information_errors, standard_errors

ROWS = np.random.default_rng(1).normal(size=(8, 3)) * [1.0, 10.0, 0.1]
NAMES = ("a", "b", "c")


def of(rows, error=0.0, source="estimated"):
    return information(rows, np.full(rows.shape, error), NAMES, source=source)


EXACT = of(ROWS, source="certified")


def test_standard_errors_are_those_of_the_inverse():
    expected = np.sqrt(np.diag(np.linalg.inv(ROWS.T @ ROWS)))
    np.testing.assert_allclose(standard_errors(ROWS), expected, rtol=1e-12)
    assert np.isinf(standard_errors(np.stack([ROWS[:, 0]] * 2, axis=1))).all()
    assert np.isinf(standard_errors(ROWS[:2])).all()
    assert np.isnan(standard_errors(np.full((4, 3), np.nan))).all()


def test_a_jacobian_that_is_scaled_has_errors_of_the_factor():
    """All standard errors are smaller by 2, eigenvalues larger by 4, and the condition is equal."""
    found = information_errors(of(2.0 * ROWS), EXACT)
    np.testing.assert_allclose(found["standard_error_errors"], 0.5, rtol=1e-12)
    np.testing.assert_allclose(found["eigenvalue_errors"], 3.0, rtol=1e-12)
    assert found["condition_error"] < 1e-12
    assert found["worst_standard_error"] == pytest.approx(0.5)
    assert found["worst_eigenvalue"] == pytest.approx(3.0)
    assert (found["resolved"], found["compared"], found["held"]) == (3, 7, 1)
    assert found["bars_hold"] is False


def test_bars_that_cover_the_error_hold():
    wrong = ROWS + 1e-6
    found = information_errors(of(wrong, 1e-6), EXACT)
    assert found["bars_hold"] is True
    assert found["held"] == found["compared"] == 7
    assert 0.0 < found["worst_standard_error"] < 1e-3


def test_values_without_resolved_bars_have_errors_all_the_same():
    found = information_errors(of(1.01 * ROWS, 10.0), EXACT)
    assert found["resolved"] == 0
    np.testing.assert_allclose(found["standard_error_errors"], 1.0 - 1.0 / 1.01, rtol=1e-9)
    assert found["bars_hold"] is True


def test_without_a_certificate_or_a_result_nothing_is_compared():
    found = information_errors(of(ROWS), None)
    assert (found["compared"], found["held"], found["bars_hold"]) == (0, 0, None)
    assert np.isnan(found["worst_standard_error"])
    found = information_errors(of(np.full((1, 3), np.nan)), EXACT)
    assert (found["compared"], found["held"], found["bars_hold"]) == (0, 0, None)


def test_what_is_not_identifiable_has_no_error():
    still = ROWS * [1.0, 1.0, 0.0]
    found = information_errors(of(still), of(still, source="certified"))
    assert np.isnan(found["standard_error_errors"][2])
    assert np.isinf(found["standard_errors"]).all()
    assert found["resolved"] == 2
