"""The interpreter's own rules: types, constant branches, scatters, and what it refuses."""

import heyoka as hy
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit.backend.jax_setup  # noqa: F401  # float64
from gradaudit.certification.heyoka.branch_choices import Switches
from gradaudit.certification.heyoka.interpreter import Interpreter
from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE
from gradaudit.errors import TranslationError

VARIABLES = hy.make_vars("x0", "x1", "x2")
POINT = np.array([0.3, -1.2, 2.5])


def symbolic(function, switches=None, precision=DOUBLE):
    closed = jax.make_jaxpr(function)(jnp.asarray(POINT))
    inputs = np.empty(3, dtype=object)
    inputs[:] = VARIABLES
    (found,) = Interpreter(precision, "here", switches).evaluate(closed, [inputs])
    return found


def values(expressions, point=POINT):
    entries = [
        hy.expression(e) if not isinstance(e, hy.expression) else e for e in expressions.flat
    ]
    return hy.cfunc(entries, VARIABLES)(point).reshape(expressions.shape)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: jnp.cumsum(x) * jnp.cumprod(x),
        lambda x: jnp.prod(x) + jnp.sum(x[:2]),
        lambda x: jnp.array([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0]]) @ x,
        lambda x: x.at[jnp.array([0, 0])].add(x[1:]),
        lambda x: x.at[1].multiply(x[0]),
        lambda x: x * jnp.arange(3) + jnp.linspace(0.0, 1.0, 3),
        lambda x: jnp.where(jnp.array([True, False, True]), x, x**2),
        lambda x: jax.lax.scan(lambda c, y: (c * y, c + y), x[0], x)[1],
        lambda x: jax.lax.cond(True, jnp.sin, jnp.cos, x),
        lambda x: x * jnp.maximum(2.0, jnp.asarray(3.0)),
        lambda x: jax.nn.softplus(x),
        lambda x: jnp.exp(-x) / (jnp.exp(x) - 1.0),
    ],
)
def test_a_function_of_expressions_has_the_values_of_the_function(function):
    np.testing.assert_allclose(values(symbolic(function)), function(jnp.asarray(POINT)), rtol=1e-14)


def test_constants_are_exact_numbers_of_the_precision():
    interpreter = Interpreter(LONG_DOUBLE, "here")
    found = interpreter.constant(np.array([0.1, 2.0]))
    assert [type(entry) for entry in found] == [np.longdouble, np.longdouble]
    assert found[0] == np.longdouble(0.1)
    assert interpreter.constant(np.array([1, 2])).dtype == np.int64


def test_an_exponential_less_one_does_not_cancel():
    found = values(symbolic(lambda x: 1.0 - jnp.exp(x)), np.full(3, 1e-12))
    np.testing.assert_allclose(found, -np.expm1(1e-12), rtol=1e-15)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x.astype(jnp.float32), "has the type float32; a reference needs float64"),
        (lambda x: jnp.maximum(x, 0.0), "the primitive 'max' switches branches"),
        (lambda x: jnp.where(x > 0.0, x, 0.0), "switches branches"),
        (lambda x: jnp.floor(x), "the primitive 'floor' switches branches"),
        (lambda x: x.astype(int) * 1.0, "convert_element_type to int64"),
        (lambda x: jax.lax.cond(x[0] > 0.0, jnp.sin, jnp.cos, x), "switches branches"),
        (
            lambda x: jax.lax.while_loop(lambda y: y[0] < 1.0, lambda y: y + 1.0, x),
            "a loop whose length depends on values; use a loop of fixed length",
        ),
        (
            lambda x: jax.pure_callback(lambda y: y, jax.ShapeDtypeStruct((3,), float), x),
            "its code is out of sight; write it in jax.numpy",
        ),
        (
            lambda x: jax.scipy.special.gammaln(x),
            "write the vector field with arithmetic and elementary functions",
        ),
    ],
)
def test_what_the_taylor_method_cannot_follow_is_refused(function, message):
    with pytest.raises(TranslationError) as error:
        symbolic(function)
    assert str(error.value).startswith("here: ")
    assert message in str(error.value)


def test_branches_that_are_given_are_followed_and_watched():
    switches = Switches(given=(1, 0, 1))
    found = symbolic(lambda x: jnp.maximum(x, 0.5), switches)
    np.testing.assert_array_equal(values(found), [0.5, -1.2, 0.5])
    assert [name for name, _ in switches.boundaries] == ["max"] * 3


def test_the_largest_entry_is_found_by_comparing_pairs():
    switches = Switches(given=(1, 0))
    found = symbolic(lambda x: jnp.max(x), switches)
    np.testing.assert_array_equal(values(found), POINT[1])
    assert len(switches.taken) == 2
