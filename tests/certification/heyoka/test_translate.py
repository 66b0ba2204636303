"""The translated vector field is the same function, and what cannot be followed is refused."""

from __future__ import annotations

import heyoka as hy
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit.backend.jax_setup  # noqa: F401
from gradaudit import Model, TranslationError
from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE, QUAD, multiple
from gradaudit.certification.heyoka.translate import heyoka_system, initial_expressions, translate

MATRIX = np.array([[0.0, 1.0, 0.5], [2.0, 0.0, -1.0], [0.0, 0.3, 1.0]])


@jax.custom_jvp
def cube(x):
    return x * x * x


cube.defjvp(lambda primals, tangents: (cube(primals[0]), 3 * primals[0] ** 2 * tangents[0]))


@jax.custom_vjp
def double(x):
    return 2.0 * x


double.defvjp(lambda x: (double(x), None), lambda _, g: (2.0 * g,))


def scatter(t, y, p):
    dy = jnp.zeros(3).at[0].set(p[0] * y[2])
    return dy.at[jnp.array([1, 1, 2])].add(y)


def loop(t, y, p):
    return jnp.stack([jax.lax.fori_loop(0, 3, lambda i, c: c * y[i] + p[0], 1.0), y[1], y[2]])


def scanned(t, y, p):
    carry, rows = jax.lax.scan(lambda c, x: (c + x, c * x), p[0], y, reverse=True)
    return rows + carry


ZOO = {
    "arithmetic": lambda t, y, p: (y + p[0]) * y / (2.0 - y) - -t,
    "powers": lambda t, y, p: y**3 + y**-2 + jnp.square(y) + y**2.5 + jnp.power(y, 7.0) + y**0,
    "parameter power": lambda t, y, p: y ** p[1] + p[0] ** 2,
    "exponentials": lambda t, y, p: jnp.exp(-y) + jnp.expm1(y) + jnp.exp2(y) + jnp.exp(y) - 1.0,
    "cancelling": lambda t, y, p: (
        y / (1.0 - jnp.exp(-y)) + y / (jnp.exp(y) - 1) + (-1 + jnp.exp(y))
    ),
    "logarithms": lambda t, y, p: jnp.log(y) + jnp.log1p(y) + jnp.sqrt(y) + jax.lax.rsqrt(y),
    "circular": lambda t, y, p: jnp.sin(y) + jnp.cos(y) * jnp.tan(y) + jnp.arctan(y),
    "inverse": lambda t, y, p: jnp.arcsin(y / 3) + jnp.arccos(y / 3) + jnp.arcsinh(y),
    "hyperbolic": lambda t, y, p: jnp.sinh(y) + jnp.cosh(y) + jnp.tanh(y) + jnp.arctanh(y / 3),
    "sigmoids": lambda t, y, p: (
        jax.nn.sigmoid(y) + jax.nn.silu(y) + jax.lax.erf(y) + jax.lax.erfc(y)
    ),
    "softplus": lambda t, y, p: jax.nn.softplus(y) + jnp.logaddexp(y, p[0]),
    "matrix": lambda t, y, p: MATRIX @ y + y @ jnp.asarray(MATRIX) + p[0] * jnp.outer(y, y) @ y,
    "batched": lambda t, y, p: jnp.einsum("ij,ij->i", jnp.outer(y, y), MATRIX * y),
    "vmap": lambda t, y, p: jax.vmap(lambda a: a * jnp.sum(y) + p[1])(y),
    "stencil": lambda t, y, p: jnp.roll(y, 1) - 2 * y + jnp.roll(y, -1) + jnp.diff(y, append=1.0),
    "sums": lambda t, y, p: jnp.sum(y) + jnp.prod(y) + jnp.cumsum(y) + jnp.mean(y) + jnp.dot(y, y),
    "cumulative": lambda t, y, p: jax.lax.cumsum(y, reverse=True) + jnp.cumprod(y),
    "shapes": lambda t, y, p: jnp.tile(y, 2).reshape(2, 3).T[:, 0] + jnp.flip(y) + y[::-1],
    "pad": lambda t, y, p: jnp.pad(y, 1)[:3] + jnp.concatenate([y[1:], y[:1]]),
    "gather": lambda t, y, p: y[jnp.array([2, 0, 1])] + jnp.take(y, jnp.arange(3)) + y[-1],
    "dynamic": lambda t, y, p: jax.lax.dynamic_slice(jnp.tile(y, 2), (jnp.arange(3)[2],), (3,)),
    "update": lambda t, y, p: jax.lax.dynamic_update_slice(y, p[:1], (1,)),
    "split": lambda t, y, p: jnp.stack([part[0] for part in jnp.split(y, 3)]),
    "unstack": lambda t, y, p: jnp.stack(list(reversed(jnp.unstack(y)))),
    "constant mask": lambda t, y, p: jnp.where(jnp.array([True, False, True]), y, 2.0),
    "constant branch": lambda t, y, p: (
        y * jnp.maximum(0.1, 0.2) * jnp.where(jnp.asarray(2.0) > 1.0, 3.0, 4.0)
    ),
    "integers": lambda t, y, p: y * jnp.arange(3) + jnp.linspace(0.0, 1.0, 3) + 7,
    "jit": lambda t, y, p: jax.jit(lambda a: a * p[0])(y),
    "remat": lambda t, y, p: jax.checkpoint(lambda a: jnp.sin(a) * p[0])(y),
    "custom rules": lambda t, y, p: cube(y) + double(y),
    "angles": lambda t, y, p: jnp.arctan2(y, y[::-1]) + jnp.arctan2(-y, p[0]) + jnp.cbrt(-y),
    "angle of a phase": lambda t, y, p: jnp.arctan2(jnp.sin(4.0 * y), jnp.cos(4.0 * y)),
    "scatter": scatter,
    "product in place": lambda t, y, p: y.at[jnp.array([0, 2])].multiply(p[0] * y[1]),
    "loop": loop,
    "scan": scanned,
    "time": lambda t, y, p: jnp.sin(p[0] * t) * y,
    "constant": lambda t, y, p: jnp.array([1.0, 2.0, 3.0]),
}  # fmt: skip


T, Y, P = hy.expression("t"), hy.make_vars("y0", "y1", "y2"), hy.make_vars("p0", "p1")


def rates(vector_field, precision=DOUBLE):
    return translate(vector_field, [T, Y, P], precision=precision)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", ZOO)
def test_translation_is_the_same_function(name):
    evaluate = hy.cfunc(rates(ZOO[name]), [T, *Y, *P])
    rng = np.random.default_rng(0)
    for _ in range(5):
        t, y, p = rng.uniform(0.2, 1.5), rng.uniform(0.2, 1.8, 3), rng.uniform(0.2, 1.5, 2)
        wanted = ZOO[name](t, jnp.asarray(y), jnp.asarray(p))
        np.testing.assert_allclose(evaluate([t, *y, *p]), wanted, rtol=1e-13, atol=1e-13)


def with_callback(t, y, p):
    return jax.pure_callback(lambda a: a, jax.ShapeDtypeStruct((3,), jnp.float64), y)


def endless(t, y, p):
    return jax.lax.while_loop(lambda a: a[0] < 2.0, lambda a: a * p[0], y)


REFUSED = {
    "lt": lambda t, y, p: jnp.where(t < p[0], 1.0, 0.0) * y,
    "gt": lambda t, y, p: jnp.where(p[0] > 0, y, -y),
    "max": lambda t, y, p: jnp.maximum(y, 0.0),
    "min": lambda t, y, p: jnp.minimum(y, p[0]),
    "abs": lambda t, y, p: jnp.abs(y),
    "sign": lambda t, y, p: jnp.sign(y),
    "floor": lambda t, y, p: jnp.floor(y),
    "reduce_max": lambda t, y, p: y / jnp.max(y),
    "rem": lambda t, y, p: jax.lax.rem(y, 2.0 + 0 * y),
    "clamp": lambda t, y, p: jax.lax.clamp(0.0, y, 1.0),
    "sort": lambda t, y, p: jnp.sort(y),
    "while": endless,
    "stop_gradient": lambda t, y, p: jax.lax.stop_gradient(y),
    "pure_callback": with_callback,
    "lgamma": lambda t, y, p: jax.lax.lgamma(y),
    "select": lambda t, y, p: jax.nn.relu(y),
    "interp": lambda t, y, p: jnp.interp(t, jnp.arange(3.0), jnp.arange(3.0)) * y,
    "convert_element_type": lambda t, y, p: y * y.astype(jnp.int64),
    "float32": lambda t, y, p: y.astype(jnp.float32).astype(jnp.float64),
    "float32 constant": lambda t, y, p: y * np.float32(0.1) * jnp.ones(3, jnp.float32),
    "index": lambda t, y, p: y[jnp.array(t, int)] * y,
}
NAMED = {
    "select": "max",
    "interp": "primitive",
    "float32 constant": "float32",
    "index": "floor|conv",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused_by_name(name):
    with pytest.raises(TranslationError, match=NAMED.get(name, name)) as error:
        rates(REFUSED[name])
    assert len(str(error.value)) > 60  # says what to do


def test_cond_is_refused_unless_its_predicate_is_constant():
    def branch(on):
        return lambda t, y, p: jax.lax.cond(on(t, y, p), lambda a: a, lambda a: -a, y)

    with pytest.raises(TranslationError):
        rates(branch(lambda t, y, p: y[0] > 0))
    assert [str(x) for x in rates(branch(lambda t, y, p: jnp.array(1) > 0))] == ["y0", "y1", "y2"]


def test_single_precision_tracing_is_refused():
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(TranslationError, match="jax_enable_x64"):
            rates(lambda t, y, p: y)
    finally:
        jax.config.update("jax_enable_x64", True)


@pytest.mark.parametrize("precision", [LONG_DOUBLE, QUAD, multiple(237)], ids=lambda p: p.name)
def test_literals_are_lifted_before_any_arithmetic(precision):
    lifted = precision.number(0.1) + precision.number(0.2)
    assert float(lifted - precision.number(0.1 + 0.2)) != 0.0
    folded = rates(lambda t, y, p: y + (jnp.asarray(0.1) + 0.2), precision)[0]
    evaluate = hy.cfunc([folded], list(Y), **precision.options)
    zero = precision.array(np.zeros(3))
    assert float(evaluate(zero)[0] - lifted) == 0.0


def test_powers_are_products_so_that_zero_has_a_taylor_series():
    rate = rates(lambda t, y, p: y**3 + y**4)[0]
    assert "**" not in str(rate)


def test_one_minus_exponential_does_not_cancel():
    """To the rounding of the twenty products that the quotient is made of."""
    evaluate = hy.cfunc(rates(lambda t, y, p: y / (1 - jnp.exp(-y))), list(Y))
    small = np.array([1e-13, -1e-13, 1e-9])
    np.testing.assert_allclose(evaluate(small), 1.0 + small / 2, rtol=3e-15)


@pytest.mark.parametrize(
    "quotient",
    [
        lambda x: x / jnp.expm1(x),
        lambda x: 0.1 * (x + 40.0) / (1.0 - jnp.exp(-(x + 40.0) / 10.0)),
        lambda x: (25.0 - x) / (10.0 * (jnp.exp((25.0 - x) / 10.0) - 1.0)),
        lambda x: jnp.expm1(x) / x,
        lambda x: (x - 3.0) / (jnp.exp(-(x - 3.0) / 2.0) - 1.0),
    ],
)
def test_removable_singularities_are_removed(quotient):
    """In quad precision no digit is lost, and the expression is finite at the singularity."""
    x = hy.expression("x")
    (smooth,) = translate(lambda x: quotient(x)[None], [x], precision=QUAD)
    evaluate = hy.cfunc([smooth], [x], fp_type=QUAD.fp_type)
    for place in (-80.0, -3.0, 0.7, 60.0):
        value = float(evaluate(np.array([QUAD.number(place)]))[0])
        np.testing.assert_allclose(value, quotient(jnp.asarray(place)), rtol=1e-14)
    for place in (0.0, -40.0, 25.0, 3.0):
        assert np.isfinite(float(evaluate(np.array([QUAD.number(place)]))[0]))


def test_initial_state_may_depend_on_parameters():
    model = Model(
        name="made",
        vector_field=lambda t, y, p: -y,
        states={"y": (1.0, "")},
        parameters={"p": (0.7, ""), "q": (1.0, "")},
        t_end=1.0,
        initial_state=lambda p: jnp.exp(p[:1]) * p[1],
    )
    assert str(initial_expressions(model, DOUBLE)[0]) in ("(exp(p0) * p1)", "(p1 * exp(p0))")


def test_system_has_states_then_integrals():
    model = Model(
        name="made",
        vector_field=lambda t, y, p: -p * y,
        states={"y": (1.0, "")},
        parameters={"p": (0.7, "")},
        t_end=1.0,
        integrands={"square": lambda t, y, p: y[0] ** 2},
    )
    assert [str(variable) for variable, _ in heyoka_system(model, DOUBLE)] == ["y0", "y1"]
    assert str(heyoka_system(model, DOUBLE)[1][1]) == "(y0 * y0)"
