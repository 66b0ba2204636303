"""A translation that lost a jump is seen; rounding of a formula is none."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model


def model(field, **parameters):
    return Model(
        name="made_up",
        vector_field=field,
        states={"y": (1.0, "")},
        parameters={name: (value, "") for name, value in parameters.items()},
        t_end=1.0,
    )


@pytest.mark.slow
def test_a_jump_that_the_translation_simplifies_away_is_no_reference():
    """The angle of (0, x) is pi left of x = 0, and 0 to a computer algebra."""
    angle = model(lambda t, y, p: p[1] * jnp.arctan2(0.0 * y, t - p[0]), T=0.4, k=1.3)
    found = gradaudit.reference(angle, method="collocation", time_limit=20.0)
    assert found.status.startswith("uncertified")
    assert "JAX" in found.status


def test_rounding_of_a_formula_that_cancels_is_no_difference():
    """y' = (b + sqrt(b^2 + 4 K)) / 2 with b = -100 y, which is about K / (100 y)."""
    root = model(
        lambda t, y, p: p[0] * (-100.0 * y + jnp.sqrt((100.0 * y) ** 2 + 4e-5)) / 2 - y, k=1.0
    )
    found = gradaudit.reference(root, method="collocation", time_limit=30.0)
    assert found.status == "ok"
    assert found.states[-1, 0] == pytest.approx(np.exp(-1.0), rel=1e-6)
