"""A solution that ends before the window does."""

import jax.numpy as jnp

import gradaudit
from gradaudit import Model


def test_a_solution_that_ends_in_the_window_is_told_with_its_state_and_time():
    """y = 1 / (1 - 2 t) ends at t = 1/2, and so does any number of digits."""
    model = Model(
        name="ends",
        vector_field=lambda t, y, p: jnp.stack([p[0] * y[0] ** 2]),
        states={"y": (1.0, "")},
        parameters={"k": (2.0, "")},
        t_end=3.0,
    )
    status = gradaudit.reference(model).status
    assert "the solution grows without bound, 'y' to " in status
    assert "at t = 0.5; 0.0 digits hold" in status
