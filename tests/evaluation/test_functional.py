"""What functionals are made from: the exact states, and data with noise."""

import numpy as np
import pytest

from gradaudit.evaluation.functional import Context

OBSERVATIONS = np.array([[0.0, 10.0, 1.0], [2.0, 10.0, 2.0], [1.0, 30.0, 3.0]])


def context(**settings):
    return Context(
        times=np.arange(3.0),
        observations=OBSERVATIONS,
        states=("x", "y"),
        integrals=("z",),
        observables=("x",),
        settings={"noise": 0.05, "seed": 1} | settings,
    )


def test_the_exact_states_are_observations_without_integrals():
    np.testing.assert_array_equal(context().exact, OBSERVATIONS[:, :2])


def test_noise_is_a_fraction_of_the_range_of_each_state():
    np.testing.assert_allclose(context().deviation, [0.1, 1.0], rtol=1e-15)


def test_without_noise_the_data_are_the_exact_states():
    np.testing.assert_array_equal(context(noise=0.0).data, OBSERVATIONS[:, :2])


def test_data_depend_on_the_seed_and_on_nothing_else():
    np.testing.assert_array_equal(context().data, context().data)
    assert np.all(context().data != context(seed=2).data)


def test_the_noise_of_the_data_has_the_stated_size():
    """The same draws at twice the noise are twice as far away."""
    one, two = (context(noise=noise).data - OBSERVATIONS[:, :2] for noise in (0.1, 0.2))
    assert two == pytest.approx(2.0 * one, rel=1e-12)
