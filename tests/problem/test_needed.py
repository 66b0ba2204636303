"""What an error of a gradient changes: lengths, steps, and the acceptance of a sampler."""

from __future__ import annotations

import numpy as np
import pytest

from gradaudit.errors import SettingError
from gradaudit.problem.definition import parameters
from gradaudit.problem.needed import (
    DONE,
    TRAJECTORY,
    Metric,
    energy_allowed,
    step_allows,
    step_change,
    widths,
)

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((9, 3)) * [1.0, 30.0, 0.1]
WIDTH = np.array([2.0, 5.0, 4.0])
METRIC = Metric.of(ROWS, WIDTH)
G = ROWS.T @ ROWS + np.diag(12.0 / WIDTH**2)


def test_lengths_and_steps_are_those_of_the_information():
    g = np.array([1.0, -2.0, 0.5])
    inverse = np.linalg.inv(G)
    np.testing.assert_allclose(METRIC.length(g), np.sqrt(g @ inverse @ g), rtol=1e-12)
    np.testing.assert_allclose(METRIC.step(g), inverse @ g, rtol=1e-10)
    bounds = np.array([1e-3, 2e-3, 1e-4])
    for signs in np.ndindex(2, 2, 2):
        assert METRIC.length(bounds * (2.0 * np.array(signs) - 1)) <= METRIC.largest(bounds)
    assert METRIC.largest(np.array([np.inf, 0.0, 0.0])) == np.inf
    draws = np.array([METRIC.drawn(k) for k in range(4000)])
    # 4000 draws: standard deviations to 5 times 1 / sqrt(8000)
    np.testing.assert_allclose(draws.std(axis=0), np.sqrt(np.diag(inverse)), rtol=0.06)


def test_lengths_do_not_depend_on_units():
    units = np.array([1e3, 1.0, 1e-5])
    scaled = Metric.of(ROWS * units, WIDTH / units)
    g = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(scaled.length(g * units), METRIC.length(g), rtol=1e-10)


def test_a_tolerated_error_of_any_direction_changes_a_step_by_no_more():
    for size in (1e-4, 10.0):  # a fit that has ended, and one that has not
        g = size * np.array([1.0, -2.0, 0.5])
        assert (METRIC.length(g) < DONE) == (size < 1.0)
        allowed = step_allows(METRIC, g, 0.01)
        changes = []
        for _ in range(300):
            d = RNG.standard_normal(3)
            d *= allowed * np.linalg.norm(g) / np.linalg.norm(d)
            changes.append(step_change(METRIC, g, d))
        assert max(changes) <= 0.01 * (1 + 1e-9)
        assert max(changes) > 0.002  # and it is not far from the largest one


@pytest.mark.parametrize("rough", [False, True])
def test_the_acceptance_falls_by_no_more_than_the_allowed_error_says(rough):
    """Trajectories in whitened coordinates, forces with a constant or a rough error."""
    size, count, steps = 10, 40_000, 10
    allowed = energy_allowed(0.05)
    length = allowed / TRAJECTORY  # of the error, at every point
    direction = np.ones(size) / np.sqrt(size)

    def force(q, wrong):
        error = np.sqrt(2.0) * np.sin(40.0 * q.sum(axis=1)) if rough else np.ones(len(q))
        return -q + wrong * length * error[:, None] * direction

    def accepted(wrong, steps):
        rng = np.random.default_rng(1)
        q, v = rng.standard_normal((2, count, size))
        begin, step = (q**2 + v**2).sum(axis=1) / 2, TRAJECTORY / steps
        for _ in range(steps):
            v = v + step / 2 * force(q, wrong)
            q = q + step * v
            v = v + step / 2 * force(q, wrong)
        end = (q**2 + v**2).sum(axis=1) / 2
        return np.minimum(1.0, np.exp(begin - end)).mean()

    steps = next(n for n in range(1, 100) if accepted(0.0, n) >= 0.8)
    before, after = accepted(0.0, steps), accepted(1.0, steps)
    # noise of the mean of 40,000 numbers below 1, common to both: below 2e-3
    assert after >= 0.95 * before - 2e-3
    # ten times the error is seen
    if not rough:
        assert accepted(10.0, steps) < 0.95 * before


def test_the_allowed_energy_gives_the_acceptance():
    from scipy.stats import norm

    for acceptance, change in ((0.8, 0.01), (0.65, 0.05)):
        before = -2 * norm.ppf(acceptance / 2)
        after = before + energy_allowed(change, acceptance)
        np.testing.assert_allclose(2 * norm.cdf(-after / 2), (1 - change) * acceptance, rtol=1e-12)
    with pytest.raises(SettingError, match=r"acceptance is 1\.5"):
        energy_allowed(0.01, 1.5)


def test_widths_of_missing_bounds_are_those_of_the_size():
    found = widths(
        parameters(
            [
                ("a", "log10", 1.0, 1e-3, 1e2),
                ("b", "lin", 4.0, -np.inf, 5.0),
                ("c", "lin", 0.1, -np.inf, np.inf),
            ]
        )
    )
    np.testing.assert_allclose(found, [5.0, 8.0, 2.0])
