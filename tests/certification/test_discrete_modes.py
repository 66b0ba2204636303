"""Modes: the branch of every switch, at a point and where the flow leads."""

import heyoka as hy
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Event, Model
from gradaudit.certification.discrete_modes import Reader, SlidingError
from gradaudit.certification.heyoka.precision import DOUBLE


def reader(field):
    return Reader(
        Model(
            name="case",
            vector_field=field,
            states={"y": (0.0, "1")},
            parameters={"p": (1.0, "1")},
            t_end=2.0,
            events={"hit": Event(when=lambda t, y, p: y[0])},
        )
    )


def rising(t, y, p):
    """y' = p below 0 and 3 p from there on."""
    return jnp.where(y >= 0.0, 3.0 * p, p)


def test_numbers_show_rates_and_choices():
    read = reader(rising)
    rates, below = read.numbers(0.0, np.array([-1.0, 0.0]))
    np.testing.assert_array_equal(rates, [1.0, -1.0])  # the state, and the integral of y
    rates, above = read.numbers(0.0, np.array([1.0, 0.0]))
    np.testing.assert_array_equal(rates, [3.0, 1.0])
    assert below != above
    rates, _ = read.numbers(0.0, np.array([1.0, 0.0]), mode=below)
    assert rates[0] == 1.0


def test_rates_in_a_mode_are_expressions_with_the_boundaries_of_the_mode():
    read = reader(rising)
    below = read.numbers(0.0, np.array([-1.0, 0.0]))[1]
    rates, boundaries = read.rates(below, DOUBLE, [hy.par[0]])
    assert all(isinstance(rate, hy.expression) for rate in rates)
    assert [name for name, _ in boundaries] == ["ge"]


def test_on_a_threshold_the_mode_is_that_into_which_the_flow_leads():
    read = reader(rising)
    above = read.numbers(0.0, np.array([1.0, 0.0]))[1]
    assert read.mode_at(0.0, np.array([0.0, 0.0])) == above
    assert read.mode_at(0.0, np.array([-1e-12, 0.0])) == above


def test_away_from_thresholds_the_mode_is_that_of_the_point():
    read = reader(rising)
    below = read.numbers(0.0, np.array([-1.0, 0.0]))[1]
    assert read.mode_at(0.0, np.array([-1.0, 0.0])) == below


def test_a_flow_that_leads_into_a_threshold_from_both_sides_slides():
    read = reader(lambda t, y, p: jnp.where(y >= 0.0, -p, p))
    with pytest.raises(SlidingError) as error:
        read.mode_at(0.5, np.array([0.0, 0.0]))
    assert str(error.value).startswith(
        "model 'case': vector_field: at t = 0.5 the flow on both sides of a threshold leads into it"
    )
