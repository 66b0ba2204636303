"""Sizes by which entries are judged: what is zero but for rounding is not judged by itself."""

from __future__ import annotations

import numpy as np

from gradaudit.certification.certificate import (
    UNITS,
    entry_thresholds,
    held_digits,
    state_scale,
    value_thresholds,
    zero_columns,
)

PARAMETERS = np.array([2.0, 0.5])
NOISE = 1e-63  # as a state has that nothing flows into, in quad precision


def solved(*, second: float) -> tuple[np.ndarray, np.ndarray]:
    """States (T, 2) and sensitivities (T, 2, 2): the second state is 0, but for `second`."""
    values = np.array([[1.0, 0.0], [3.0, second]])
    derivatives = np.array([[[0.0, 0.0], [0.0, 0.0]], [[0.5, 2.0], [second, second]]])
    return values, derivatives


def test_a_state_that_is_rounding_takes_no_digits_from_its_columns():
    values, derivatives = solved(second=NOISE)
    scale = state_scale(values, derivatives, PARAMETERS)
    np.testing.assert_allclose(scale, [3.0, 3.0 * UNITS])
    threshold = entry_thresholds(derivatives, scale, negligible=1e-3)
    bounds = np.where(derivatives == NOISE, 10.0 * NOISE, 1e-14 * np.abs(derivatives))
    digits, least = held_digits(derivatives, bounds, threshold)
    assert least > 13.0
    assert np.all(np.isnan(digits[:, 1]))  # negligible
    assert np.all(digits[1, 0] > 13.0)


def test_states_of_other_units_are_judged_by_themselves():
    values, derivatives = solved(second=1e-20)
    scale = state_scale(values, derivatives, PARAMETERS)
    np.testing.assert_allclose(scale, [3.0, 1e-20])
    digits, least = held_digits(
        derivatives,
        np.where(derivatives == 1e-20, 1e-22, 0.0),
        entry_thresholds(derivatives, scale, negligible=1e-3),
    )
    assert least == digits[1, 1].min() == 2.0


def test_a_value_that_is_rounding_is_judged_by_the_others():
    values, _ = solved(second=NOISE)
    threshold = value_thresholds(values, negligible=1e-3)
    np.testing.assert_allclose(threshold[1], [3e-3, 3e-3 * UNITS])
    assert held_digits(values, np.full(values.shape, 10.0 * NOISE), threshold)[1] > 13.0


def test_a_model_of_zeros_has_a_scale():
    zero = np.zeros((2, 2))
    assert state_scale(zero, np.zeros((2, 2, 2)), PARAMETERS).tolist() == [1.0, 1.0]


def test_a_column_that_underflows_beside_a_state_that_grows_is_not_zero():
    """x' = a x grows to 4e286, and y' = -a y + b exp(-a t) decays: dy/db = t exp(-a t)."""
    derivatives = np.zeros((1, 2, 2))
    derivatives[0, 1] = [-2e-71, 2e-71]
    scale = np.array([4e286, UNITS * 4e286])
    known = zero_columns(derivatives, 1e-14 * np.abs(derivatives), scale, np.array([16.5, 1e-5]))
    assert not known.any()
    unknown = zero_columns(derivatives, 2.0 * np.abs(derivatives), scale, np.array([16.5, 1e-5]))
    assert unknown.all()
