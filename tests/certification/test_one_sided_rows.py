"""Jumps and initial states that lie on a threshold: no derivative there, and it is said."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model


def crossing(start=0.0, to=2.0, threshold=2.0):
    """y' = 1, or 3 from the threshold on; set to `to` at t = 0.5."""
    return Model(
        name="crossing",
        vector_field=lambda t, y, p: jnp.where(y >= p[1], 3.0, 1.0),
        states={"y": (start, "")},
        parameters={"to": (to, ""), "threshold": (threshold, "")},
        events={
            "set": Event(when=lambda t, y, p: t - 0.5, jump=lambda t, y, p: p[:1]),
            "up": Event(when=lambda t, y, p: y[0] - p[1]),
        },
        t_end=1.0,
    )


@pytest.mark.slow
def test_a_jump_onto_a_threshold():
    ref = gradaudit.reference(crossing(), np.array([0.25, 0.5, 1.0]))
    assert ref.status.startswith("uncertified: at t = 0.5 derivatives with respect to 'to',")
    assert "'set' puts the solution onto the threshold of 'up'" in ref.status
    assert np.nanmax(ref.digits.per_entry[1:]) == 0.0


def test_a_jump_beside_a_threshold_is_certified():
    ref = gradaudit.reference(crossing(to=1.9), np.array([0.25, 1.0]))
    assert ref.status == "ok"
    # below the threshold for 0.1, then y = 2 + 3 (t - 0.6)
    assert np.allclose(ref.sensitivities[-1, 0], [3.0, -2.0], rtol=1e-12)


def test_a_start_at_a_threshold():
    ref = gradaudit.reference(crossing(start=2.0, to=5.0), np.array([0.25, 0.4]))
    assert ref.status.startswith("uncertified: at t = 0 derivatives with respect to 'threshold'")


def test_a_ball_that_has_bounced_is_on_the_ground_for_all_parameters():
    ball = Model(
        name="ball",
        vector_field=lambda t, y, p: jnp.stack([y[1], -p[0]]),
        states={"height": (1.0, "m"), "speed": (0.0, "m/s")},
        parameters={"g": (9.81, "m/s^2"), "restitution": (0.8, "")},
        events={
            "bounce": Event(
                when=lambda t, y, p: y[0],
                direction=-1,
                jump=lambda t, y, p: jnp.stack([0.0 * y[0], -p[1] * y[1]]),
            )
        },
        t_end=0.7,
    )
    assert gradaudit.reference(ball, np.array([0.2, 0.7])).status == "ok"
