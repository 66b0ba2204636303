"""The compiled vector field with its derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit import Model
from gradaudit.certification.collocation.problem import Compiler
from gradaudit.certification.collocation.vector_field import compile_field
from gradaudit.certification.heyoka.precision import (
    DOUBLE,
    LONG_DOUBLE,
    QUAD,
    available,
    to_float64,
)
from gradaudit.errors import TranslationError

EVERY = [p for p in (DOUBLE, LONG_DOUBLE, QUAD) if available(p)]
MODEL = Model(
    name="field",
    vector_field=lambda t, y, p: jnp.stack([p[0] * y[0] * y[1] + jnp.sin(t), -p[1] * y[1]]),
    states={"a": (1.0, ""), "b": (2.0, "")},
    parameters={"k": (0.7, ""), "c": (3.0, ""), "unused": (1.0, "")},
    t_end=1.0,
)


@pytest.mark.parametrize("precision", EVERY, ids=lambda p: p.name)
def test_rates_and_slopes_are_those_of_jax_at_every_point(precision):
    """To the rounding of double, in which JAX evaluates them."""
    field = compile_field(MODEL, precision)
    points = np.random.default_rng(2).uniform(0.5, 1.5, (6, 4))
    rates = to_float64(field.rates(precision.array(points)))
    by_state, by_parameter = field.dense(field.slopes(precision.array(points)))
    for k, point in enumerate(points.T):
        t, y, p = point[0], point[1:3], point[3:]
        f = MODEL.vector_field
        np.testing.assert_allclose(rates[k, :2], f(t, y, p), rtol=1e-14)
        assert rates[k, 2] == y[0]  # the integral of the first state
        np.testing.assert_allclose(
            to_float64(by_state)[k, :2], jax.jacobian(f, 1)(t, y, p), rtol=1e-14
        )
        np.testing.assert_allclose(
            to_float64(by_parameter)[k, :2], jax.jacobian(f, 2)(t, y, p), rtol=1e-14
        )
    assert len(field.rows) == 6  # entries that are zero everywhere are left out


def test_fields_are_compiled_once_and_switches_are_refused():
    compiler = Compiler(MODEL)
    first, second = compiler.problem(DOUBLE), compiler.problem(LONG_DOUBLE)
    assert first.fine is second.rough is second.witness
    assert first.witness is second.fine
    assert compiler.problem(DOUBLE, noise=False).witness is first.rough
    switching = Model(
        name="switch",
        vector_field=lambda t, y, p: jnp.where(y > 0.5, -p, p),
        states={"y": (1.0, "")},
        parameters={"k": (1.0, "")},
        t_end=1.0,
    )
    with pytest.raises(TranslationError, match="switch"):
        compile_field(switching, DOUBLE)
