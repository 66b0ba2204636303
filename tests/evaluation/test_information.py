"""Bars of a Fisher information hold for every Jacobian within the errors, or are open."""

from __future__ import annotations

import numpy as np
import pytest

from gradaudit.evaluation.information import information

SLACK = 1e-9  # relative: rounding of the numbers that the test compares with


def holds(bars, values) -> bool:
    """Whether each value is in its bar."""
    low, high = np.asarray(bars).T
    return bool(np.all((low * (1 - SLACK) <= values) & (values <= high * (1 + SLACK))))


def standard_errors(rows):
    """By another route than the module: the inverse of R of a QR decomposition."""
    inverse = np.linalg.inv(np.linalg.qr(rows, mode="r"))
    return np.linalg.norm(inverse, axis=1)


@pytest.mark.parametrize("size", [1e-9, 1e-4, 1e-2, 0.3])
@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_bars_hold_for_every_jacobian_within_the_errors(size, spread):
    rng = np.random.default_rng(int(1e6 * size) + int(spread))
    for _ in range(40):
        columns = 10.0 ** rng.uniform(-spread, spread, 4)
        rows = rng.standard_normal((9, 4)) * columns
        rows[:, 3] = rows[:, 0] + rng.uniform(0.01, 1.0) * rows[:, 3]  # nearly dependent
        errors = size * rng.uniform(0.0, 1.0, rows.shape) * np.abs(rows)
        found = information(rows, errors, "abcd", source="given")
        for other in (errors * rng.choice([-1.0, 1.0], rows.shape), errors * rng.uniform(-1, 1)):
            true = rows + other
            assert holds(found.standard_error_bars, standard_errors(true))
            singular = np.linalg.svd(true, compute_uv=False)
            assert holds(found.eigenvalue_bars, singular**2)
            assert holds([found.condition_bar], (singular[0] / singular[-1]) ** 2)
            assert np.all(np.abs(true.T @ true - found.matrix) <= found.matrix_error * (1 + SLACK))


def test_bars_are_tight_where_errors_are_small():
    rows = np.random.default_rng(1).standard_normal((20, 3))
    found = information(rows, 1e-6 * np.abs(rows), "abc", source="given")
    assert found.status == "ok"
    width = found.standard_error_bars[:, 1] / found.standard_error_bars[:, 0] - 1.0
    # relative errors of 1e-6 in well-conditioned rows: a few times that
    assert np.all(width < 1e-5)
    assert holds(found.standard_error_bars, found.standard_errors)


def test_units_of_the_parameters_do_not_change_relative_bars():
    rng = np.random.default_rng(2)
    rows, units = rng.standard_normal((8, 3)), np.array([1e-8, 1.0, 1e9])
    plain = information(rows, 1e-3 * np.abs(rows), "abc", source="given")
    scaled = information(rows * units, 1e-3 * np.abs(rows * units), "abc", source="given")
    np.testing.assert_allclose(scaled.resolution, plain.resolution, rtol=1e-9)
    np.testing.assert_allclose(
        scaled.standard_error_bars, plain.standard_error_bars / units[:, None], rtol=1e-9
    )


def test_a_singular_value_below_its_error_is_not_resolved():
    rows = np.random.default_rng(3).standard_normal((10, 3))
    rows[:, 2] = rows[:, 0] + 1e-6 * rows[:, 2]
    found = information(rows, 1e-5 * np.abs(rows), "abc", source="given")
    assert found.status.startswith("not resolved")
    assert "a" in found.direction(2)
    assert "c" in found.direction(2)
    assert found.eigenvalue_bars[-1, 0] == 0.0
    assert not found.resolved[-1]
    assert np.isnan(found.standard_errors[[0, 2]]).all()
    assert np.isinf(found.standard_error_bars[[0, 2], 1]).all()
    assert np.isnan(found.condition)
    assert np.isinf(found.condition_bar[1])
    # that they are large is known all the same
    assert np.all(found.standard_error_bars[[0, 2], 0] > 1e3)


def test_exactly_dependent_columns_are_never_resolved():
    rows = np.random.default_rng(4).standard_normal((10, 3))
    rows[:, 2] = rows[:, 0] - rows[:, 1]
    found = information(rows, np.zeros(rows.shape), "abc", source="given")
    assert found.status.startswith("not resolved")
    assert np.isnan(found.standard_errors).all()
    assert np.isinf(found.standard_error_bars[:, 1]).all()


def test_a_parameter_without_effect_is_not_identifiable_and_the_others_are():
    rows = np.random.default_rng(5).standard_normal((10, 3))
    rows[:, 1] = 0.0
    found = information(rows, 1e-8 * np.abs(rows), "abc", source="given")
    assert found.status.startswith("not identifiable: nothing that is measured depends on b")
    assert np.isinf(found.standard_errors[1])
    assert np.isinf(found.condition)
    np.testing.assert_allclose(
        found.standard_errors[[0, 2]], standard_errors(rows[:, [0, 2]]), rtol=1e-7
    )


def test_fewer_measurements_than_parameters():
    rows = np.random.default_rng(6).standard_normal((2, 3))
    found = information(rows, np.zeros(rows.shape), "abc", source="given")
    assert found.status.startswith("not identifiable: 2 measurements")
    assert found.eigenvalue_bars[2].tolist() == [0.0, 0.0]
    assert np.isnan(found.standard_errors).all()
    assert np.isinf(found.condition)


@pytest.mark.parametrize("error", [np.inf, np.nan])
def test_an_unknown_error_leaves_nothing_known(error):
    rows = np.random.default_rng(7).standard_normal((5, 2))
    errors = np.zeros(rows.shape)
    errors[0, 0] = error
    found = information(rows, errors, "ab", source="given")
    assert found.status.startswith("not resolved")
    assert np.isnan(found.standard_errors).all()
    assert np.isinf(found.standard_error_bars[:, 1]).all()


def test_a_reason_opens_all_bars_and_nan_is_no_result():
    rows = np.random.default_rng(8).standard_normal((5, 2))
    found = information(rows, np.zeros(rows.shape), "ab", source="estimated", reason="it jumps")
    assert found.status == "not resolved: it jumps"
    assert np.isnan(found.standard_errors).all()
    rows[0, 0] = np.nan
    found = information(rows, np.zeros(rows.shape), "ab", source="estimated")
    assert found.status == "no result: the Jacobian is not finite"
    assert "not resolved" in str(found)
