"""A translation that lost a jump is seen; rounding of a formula is none."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model
from gradaudit.certification.collocation.translation_check import mistranslated
from gradaudit.certification.collocation.vector_field import compile_field
from gradaudit.certification.heyoka.precision import DOUBLE


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


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        (lambda t, y, p: p[0] / (t * 0.0), "JAX has no finite number there"),
        (lambda t, y, p: p[0] + jnp.arctan2(t, p[0]) * y, "as where arctan2 jumps"),
        (lambda t, y, p: 2.0 * p[0] + 0.0 * y, "the rate of 'y' is 2 and 1. Either a switch"),
    ],
    ids=["not finite", "arctan2", "switch"],
)
def test_a_difference_is_told_with_its_cause(other, cause):
    """The translation of y' = k stands for one of another vector field that lost something."""
    field = compile_field(model(lambda t, y, p: p[0] + 0.0 * y, k=1.0), DOUBLE)
    times, values = np.array([0.0, 0.5]), np.ones((2, 2))
    made = model(lambda t, y, p: jnp.reshape(other(t, y, p), (1,)), k=1.0)
    found = mistranslated(made, field, field, times, values)
    assert found is not None
    assert cause in found


def test_rounding_of_a_solution_that_rests_is_no_difference():
    """Its rates are what double precision leaves of terms that cancel, in whatever order."""
    field = compile_field(model(lambda t, y, p: p[0] - p[0] * y, k=0.7), DOUBLE)
    times, values = np.linspace(0.0, 1.0, 5), np.ones((5, 1))
    off = model(lambda t, y, p: 1e-16 * y + 0.0 * p[0], k=0.7)
    assert mistranslated(off, field, field, times, values) is None
    wrong = model(lambda t, y, p: 1e-12 * y + 0.0 * p[0], k=0.7)
    assert mistranslated(wrong, field, field, times, values) is not None
