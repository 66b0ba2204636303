"""A recorded function has the same values to the last bit, and says less."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import Literal

from gradaudit.backend.jaxpr.recording import recorded
from gradaudit.backend.jaxpr.walk import equations

P = np.array([0.3, 2.0])


def names(function, *sizes):
    shapes = [jax.ShapeDtypeStruct(() if s is None else (s,), jnp.float64) for s in sizes]
    return [eqn.primitive.name for eqn in equations(jax.make_jaxpr(function)(*shapes).jaxpr)]


def rates(t, y, p):
    flux = p[0] * y[0] / (p[1] + y[0])
    again = p[0] * y[0] / (p[1] + y[0])
    dose = jnp.where(jnp.asarray(0.5) > 0.0, 1.0, 0.0)  # of numbers alone
    return jnp.stack([-1.0 * flux * dose / 2.0 + jnp.sin(t), again * jnp.exp(-y[1])])


def test_values_and_derivatives_are_the_same_to_the_last_bit():
    own = recorded(rates, None, 2, 2)
    y = np.array([0.7, 1.1])
    assert np.array_equal(own(0.3, y, P), rates(0.3, y, P))
    for argument in (1, 2):
        slopes = (jax.jacfwd(f, argument)(0.3, y, P) for f in (own, rates))
        assert np.array_equal(*slopes)
    many = (jax.jit(jax.vmap(f, (0, 0, None)))(jnp.ones(3), np.stack([y] * 3), P)
            for f in (own, rates))  # fmt: skip
    np.testing.assert_allclose(*many, rtol=4e-16)  # what XLA fuses is another program


def test_what_is_computed_twice_is_computed_once():
    found = names(recorded(rates, None, 2, 2), None, 2, 2)
    assert found.count("div") == 2
    assert names(rates, None, 2, 2).count("div") == 3


def test_a_comparison_of_numbers_is_no_switch():
    found = names(recorded(rates, None, 2, 2), None, 2, 2)
    assert "gt" in names(rates, None, 2, 2)
    assert not {"gt", "select_n"} & set(found)


def test_a_comparison_of_a_parameter_stays():
    def switched(t, y, p):
        return jnp.where(p[0] > 0.0, y, -y)

    own = recorded(switched, None, 2, 2)
    assert "gt" in names(own, None, 2, 2)
    y = np.array([0.7, 1.1])
    assert np.array_equal(own(0.0, y, P), y)
    assert np.array_equal(own(0.0, y, -P), -y)


def test_constants_are_not_multiplied_in_double():
    """A reference lifts numbers to its precision first: 0.1 * 0.3 is rounded there, not here."""

    def field(t, y, p):
        return jnp.asarray(0.1) * jnp.asarray(0.3) * y

    closed = jax.make_jaxpr(recorded(field, None, 1, 1))(0.0, np.ones(1), np.ones(1))
    literals = {
        float(a.val)
        for eqn in equations(closed.jaxpr)
        for a in eqn.invars
        if isinstance(a, Literal) and np.ndim(a.val) == 0
    }
    assert {0.1, 0.3} <= literals


def test_in_single_precision_constants_adapt():
    own = recorded(rates, None, 2, 2)
    y = jnp.asarray([0.7, 1.1], jnp.float32)
    assert own(jnp.float32(0.3), y, jnp.asarray(P, jnp.float32)).dtype == jnp.float32


def test_a_function_with_derivatives_of_its_own_keeps_them():
    @jax.custom_jvp
    def squared(x):
        return x**2

    squared.defjvp(lambda primals, tangents: (primals[0] ** 2, 7.0 * tangents[0]))

    def field(t, y, p):
        return squared(y)

    own = recorded(field, None, 1, 1)
    assert jax.jacfwd(own, 1)(0.0, np.ones(1), np.ones(1))[0, 0] == pytest.approx(7.0)


def test_logaddexp_stays_a_smooth_function():
    def field(t, y, p):
        return jnp.logaddexp(y, p)

    closed = jax.make_jaxpr(recorded(field, None, 1, 1))(0.0, np.ones(1), np.ones(1))
    assert "max" not in [eqn.primitive.name for eqn in equations(closed.jaxpr)]
