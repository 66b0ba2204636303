"""Tangents along directions of the parameters: closed forms of an exponential and its integral."""

import jax.numpy as jnp
import numpy as np

from gradaudit import Model
from gradaudit.certification.tangent_system import along, directions_of, tangent_system
from gradaudit.model.quadratures import with_integrals

DECAY = Model(
    name="decay",
    vector_field=lambda t, y, p: jnp.stack([-p[0] * y[0] + p[1]]),
    states={"y": (1.0, "")},
    parameters={"k": (2.0, ""), "feed": (0.0, "")},
    t_end=1.0,
)


def test_the_right_hand_side_is_that_of_the_directional_derivative():
    """w' = -k w - v_k y + v_feed, and the integral of w follows."""
    directions = directions_of(DECAY)
    k, feed = directions[0]
    y, w = 0.7, 0.3
    rates = with_integrals(tangent_system(DECAY, directions))(
        0.0, jnp.array([y, w, 0.0, 0.0]), DECAY.nominal
    )
    np.testing.assert_allclose(rates, [-2.0 * y, -2.0 * w - k * y + feed, y, w], rtol=1e-15)


def test_a_tiny_parameter_has_a_direction_in_which_it_counts():
    tiny = Model(**{**vars(DECAY), "parameters": {"k": (2.0, ""), "feed": (1e-12, "")}})
    scaled, plain = np.abs(directions_of(tiny))
    assert scaled[1] < 1e-11
    assert plain.min() > 0.4
    assert plain.max() < 1.6
    assert len(directions_of(DECAY)) == 1


def test_a_variational_state_is_contracted_with_the_directions():
    directions = np.array([[1.0, 10.0], [2.0, 0.0]])
    whole = np.array([[5.0, 6.0, 1.0, 2.0, 3.0, 4.0]])  # y, q, then dy/dp and dq/dp
    found = along(whole, n=1, size=2, directions=directions)
    np.testing.assert_array_equal(found, [[5.0, 21.0, 2.0, 6.0, 43.0, 6.0]])
