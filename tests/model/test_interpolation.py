"""`jnp.interp` written out: the same function, with events at its knots."""

import jax.numpy as jnp
import numpy as np

import gradaudit.backend.jax_setup  # noqa: F401 - switches x64 on
from gradaudit import Model
from gradaudit.model.interpolation import with_knots

KNOTS, HEIGHTS = np.array([0.0, 0.5, 1.3, 3.0]), np.array([0.2, 1.0, 0.3, 2.0])


def model(field):
    return Model(
        name="m",
        vector_field=field,
        states={"y": (1.0, "")},
        parameters={"k": (0.5, "")},
        t_end=2.0,
    )


def test_values_and_knots():
    table = model(lambda t, y, p: p[0] * jnp.interp(t * p[0], KNOTS, HEIGHTS) - y)
    written = with_knots(table)
    assert list(written.events) == ["knot 0", "knot 0.5", "knot 1.3", "knot 3"]
    y, p = jnp.ones(1), jnp.array([0.5])
    for t in (-1.0, 0.0, 0.3, 1.0, 2.0, 2.6, 5.9, 7.0):
        exact = 0.5 * np.interp(0.5 * t, KNOTS, HEIGHTS) - 1.0
        np.testing.assert_allclose(written.vector_field(t, y, p), [exact], rtol=1e-15)
    assert float(written.events["knot 1.3"].when(2.0, y, p)) == 1.0 - 1.3


def test_a_state_as_argument_and_two_tables():
    table = model(lambda t, y, p: jnp.interp(y, KNOTS, HEIGHTS) + jnp.interp(t, KNOTS, HEIGHTS))
    written = with_knots(table)
    assert len(written.events) == 8
    assert float(written.events["knot 0.5 of 1"].when(0.0, jnp.array([2.0]), p=None)) == 1.5


def test_knots_that_six_digits_do_not_tell_apart_are_events_of_their_own():
    grid = jnp.array([0.0, 1234567.0, 1234568.0, 2e6])
    written = with_knots(
        Model(
            name="table",
            vector_field=lambda t, y, p: p[0] * jnp.interp(t, grid, jnp.arange(4.0)) * y,
            states={"y": (1.0, "")},
            parameters={"k": (1e-6, "")},
            t_end=2e6,
        )
    )
    assert list(written.events) == [
        "knot 0.0",
        "knot 1234567.0",
        "knot 1234568.0",
        "knot 2000000.0",
    ]


def test_a_model_without_a_table_and_knots_that_move_stay_what_they_are():
    plain = model(lambda t, y, p: -p[0] * y)
    assert with_knots(plain) is plain
    moving = model(lambda t, y, p: jnp.interp(t, p[0] * KNOTS, HEIGHTS) - y)
    assert dict(with_knots(moving).events) == {}
