"""Leaving a start without a Taylor series, against the closed form of a chain of powers."""

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Model
from gradaudit.certification.heyoka.precision import DOUBLE
from gradaudit.certification.singular_start import STEPS, leave

ROWS = tuple(slice(3 + 2 * i, 5 + 2 * i) for i in range(3))
"""Two states and an integral, then two tangents of each."""


def chain(c):
    """a = k t and b' = a^c."""
    return Model(
        name="chain",
        vector_field=lambda t, y, p: jnp.stack([p[0], y[0] ** p[1]]),
        states={"a": (0.0, "1"), "b": (0.0, "1")},
        parameters={"k": (1.3, "1"), "c": (c, "1")},
        integrands={"area": lambda t, y, p: y[0]},
        t_end=2.0,
    )


@pytest.mark.parametrize("c", [0.7, 1.5])
def test_the_state_that_is_left_for_is_that_of_the_closed_form(c):
    """The first is exact; the second is what a few steps of fourth order give a power: a percent.

    Steps of Runge's method on t^0.7 err by the order of t^1.7 itself, which is below 1e-18 to a
    power above 1 where the start is really left.
    """
    share = 1e-3
    time, state = leave(chain(c), np.zeros(9), ROWS, DOUBLE, share)
    assert time == share * 2.0
    k = 1.3
    exact = [k * time, k**c * time ** (c + 1) / (c + 1), k * time**2 / 2]
    assert state[0] == pytest.approx(exact[0], rel=1e-14)
    assert state[1] == pytest.approx(exact[1], rel=2e-2)
    assert state[2] == pytest.approx(exact[2], rel=1e-13)
    assert state[ROWS[0]] == pytest.approx([time, 0.0], rel=1e-14)
    assert state[ROWS[1]][0] == pytest.approx(c * exact[1] / k, rel=2e-2)
    assert STEPS == 3


def test_the_state_before_is_left_as_it_was():
    initial = np.zeros(9)
    leave(chain(1.5), initial, ROWS, DOUBLE, 1e-3)
    np.testing.assert_array_equal(initial, 0.0)


def test_a_start_without_a_limit_cannot_be_left():
    model = Model(
        name="pole",
        vector_field=lambda t, y, p: jnp.stack([p[0] / t, p[1]]),
        states={"a": (0.0, "1"), "b": (0.0, "1")},
        parameters={"k": (1.3, "1"), "c": (1.0, "1")},
        integrands={"area": lambda t, y, p: y[0]},
        t_end=2.0,
    )
    assert leave(model, np.zeros(9), ROWS, DOUBLE, 1e-3) is None
