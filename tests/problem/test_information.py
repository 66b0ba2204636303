"""The Fisher information of a problem: closed forms, and that bars of solvers hold the truth."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import gradaudit
from gradaudit.errors import SettingError
from problem.conftest import writer

PARAMETERS = "parameterId parameterScale lowerBound upperBound nominalValue estimate"
OBSERVABLES = "observableId observableFormula observableTransformation noiseFormula"
DISTRIBUTION = "noiseDistribution"
MEASUREMENTS = "observableId simulationConditionId time measurement"
POINTS = [("o", 1.0, 1.2), ("o", 2.0, 0.9), ("u", 1.0, 0.8), ("u", 3.0, 0.3), ("w", 2.0, 0.5)]
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    """A decay from 2: normal noise that grows with the signal, on a log scale, and Laplace's."""
    return written(tmp_path_factory.mktemp("information"), POINTS)


@pytest.fixture(scope="module")
def normal(tmp_path_factory):
    """The same without Laplace's."""
    return written(tmp_path_factory.mktemp("normal"), POINTS[:4])


def written(folder, points):
    return gradaudit.load_problem(
        writer(folder)(
            parameters=[
                PARAMETERS,
                "k log10 1e-3 1e2 0.5 1",
                "gain lin 0 10 1.5 1",
                "sigma log 0.1 10 0.3 1",
            ],
            conditions=["conditionId a0", "c 2"],
            observables=[
                f"{OBSERVABLES} {DISTRIBUTION}",
                "o gain*A lin sigma+0.1*A normal",
                "u A log10 sigma normal",
                "w A^2 lin sigma laplace",
            ],
            measurements=[MEASUREMENTS, *(f"{o} c {t} {m}" for o, t, m in points)],
        )
    )


def parts(name, t, k, gain, sigma):
    """Simulated value on its scale, and noise."""
    state = 2 * mpmath.exp(-k * t)
    return {
        "o": (gain * state, sigma + state / 10),
        "u": (mpmath.log10(state), sigma),
        "w": (state**2, sigma),
    }[name]


def scaled(function, point):
    """Derivatives on the scales log10, lin, log, by mpmath."""
    factors = [point[0] * mpmath.log(10), 1, point[2]]
    return np.array(
        [
            float(
                f * mpmath.diff(lambda x, k=k: function(*point[:k], x, *point[k + 1 :]), point[k])
            )
            for k, f in enumerate(factors)
        ]
    )


def expected_information(point):
    """E[score score^T], an integral over the measured value, which knows no formula for F."""
    total = np.zeros((3, 3))
    for name, t, _ in POINTS:
        h, s = parts(name, t, *point)
        if name == "w":  # half-exponentials on both sides, by Gauss-Laguerre
            nodes, weights = np.polynomial.laguerre.laggauss(20)
            residuals = np.concatenate([nodes, -nodes])
            weights = np.concatenate([weights, weights]) / 2
        else:
            residuals, weights = NODES, WEIGHTS / np.sqrt(2 * np.pi)
        for residual, weight in zip(residuals, weights, strict=True):
            measured = h + s * mpmath.mpf(residual)

            def log_density(k, gain, sigma, name=name, t=t, measured=measured):
                h, s = parts(name, t, k, gain, sigma)
                r = (measured - h) / s
                return -mpmath.log(s) - (abs(r) if name == "w" else r**2 / 2)

            score = scaled(log_density, point)
            total += weight * np.outer(score, score)
    return total


POINT = [mpmath.mpf(0.5), mpmath.mpf(1.5), mpmath.mpf(0.3)]


def test_the_certified_one_is_the_expected_square_of_the_score(problem):
    found = gradaudit.fisher_information(problem)
    assert found.status == "ok"
    assert found.source == "certified"
    # quadrature of low degree is exact here; what is left is that of numerical derivatives
    np.testing.assert_allclose(found.matrix, expected_information(POINT), rtol=1e-9, atol=1e-12)
    assert found.resolution < 1e-10


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["tsit5", "kvaerno5"])
def test_bars_of_solvers_hold_the_certified_values(problem, solver):
    exact = gradaudit.fisher_information(problem)
    for rtol in (1e-2, 1e-4, 1e-8):
        found = gradaudit.fisher_information(problem, solver=solver, rtol=rtol)
        assert found.status == "ok"
        assert found.source == "estimated"
        for bars, values in (
            (found.standard_error_bars, exact.standard_errors),
            (found.eigenvalue_bars, exact.eigenvalues),
            ([found.condition_bar], exact.condition),
        ):
            low, high = np.asarray(bars).T
            assert np.all((low <= values) & (values <= high))
        assert found.resolution < 1e3 * rtol


def test_the_gauss_newton_matrix_is_that_of_the_residuals(normal):
    found = gradaudit.fisher_information(normal, kind="gauss_newton")
    rows = []
    for name, t, measured in POINTS[:4]:

        def residual(*point, name=name, t=t, measured=measured):
            h, s = parts(name, t, *point)
            goal = mpmath.log10(measured) if name == "u" else measured
            return (goal - h) / s

        rows.append(scaled(residual, POINT))
    np.testing.assert_allclose(found.rows[:2], rows[:2], rtol=1e-10)
    np.testing.assert_allclose(found.matrix, np.transpose(rows) @ rows, rtol=1e-9)
    assert np.all(np.abs(found.rows - rows) <= found.row_errors + 1e-12 * np.abs(rows))


def test_laplace_noise_has_no_gauss_newton_matrix(problem):
    with pytest.raises(SettingError, match="of the observable 'w' is laplace"):
        gradaudit.fisher_information(problem, kind="gauss_newton")


def test_a_parameter_that_is_fixed_is_left_out(problem):
    whole = gradaudit.fisher_information(problem)
    found = gradaudit.fisher_information(problem, fixed=["gain"])
    assert found.parameters == ("k", "sigma")
    np.testing.assert_array_equal(found.matrix, whole.matrix[np.ix_([0, 2], [0, 2])])
    assert np.all(found.standard_errors < whole.standard_errors[[0, 2]])
    with pytest.raises(SettingError, match="none of k, gain, sigma"):
        gradaudit.fisher_information(problem, fixed=["rate"])


@pytest.mark.slow
def test_what_fails_or_has_no_one_jacobian_is_told(problem):
    found = gradaudit.fisher_information(problem, solver="tsit5", rtol=1e-12, max_steps=5)
    assert found.status == "no result: the solve: max_steps"
    assert np.isnan(found.standard_errors).all()
    assert np.isinf(found.standard_error_bars[:, 1]).all()
    found = gradaudit.fisher_information(problem, solver="tsit5", estimate=False)
    assert found.status == "not resolved: no error was estimated"
    assert np.isinf(found.standard_error_bars[:, 1]).all()
    with pytest.raises(SettingError, match="rtol is a setting of a solver"):
        gradaudit.fisher_information(problem, rtol=1e-3)
    with pytest.raises(SettingError, match="noise is not a setting"):
        gradaudit.fisher_information(problem, noise=0.1)
