"""Switches are seen wherever JAX puts them, and a field follows the branch that it is given."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import gradaudit
from gradaudit import Event, Model
from gradaudit.backend.jaxpr.branches import FrozenField, flat
from gradaudit.backend.jaxpr.walk import equations
from gradaudit.errors import TranslationError


def plain(x):
    return jnp.where(x < 1.003, 1.0, 2.0)


@jax.custom_vjp
def with_own_transpose(x):
    return plain(x)


with_own_transpose.defvjp(lambda x: (plain(x), None), lambda _, ct: (0.0 * ct,))


@jax.custom_jvp
def with_own_derivative(x):
    return plain(x)


with_own_derivative.defjvp(lambda x, dx: (plain(*x), 0.0 * dx[0]))


def in_scan(x):
    """The product of two steps, of which the second one switches."""

    def step(carry, row):
        return carry * jnp.where(x < row, 1.0, 2.0), None

    return lax.scan(step, 1.0, jnp.array([10.0, 1.003]))[0]


def in_conditional(x):
    return lax.cond(x > -5.0, plain, lambda x: 0.0 * x, x)


def in_loop(x):
    return lax.fori_loop(0, 1, lambda _, c: c * plain(x), 1.0)


HIDDEN = {
    "plain": plain,
    "jit": jax.jit(plain),
    "checkpoint": jax.checkpoint(plain),
    "custom_jvp": with_own_derivative,
    "custom_vjp": with_own_transpose,
    "scan": in_scan,
    "cond": in_conditional,
    "fori_loop": in_loop,
    "vmap": lambda x: jax.vmap(plain)(x * jnp.ones(2))[0],
}


@pytest.fixture(params=HIDDEN, ids=str)
def rate(request):
    """A rate that is 1 below the threshold 1.003 and 2 above it."""
    return HIDDEN[request.param]


def test_a_switch_is_seen_inside_of_other_primitives(rate):
    field = FrozenField(lambda t, y, p: rate(y[0]) * y, 1, 1)
    assert field.switches
    p = jnp.ones(1)
    below, above = (field.decisions(0.0, jnp.array([y]), p) for y in (0.5, 1.5))
    assert np.any(flat(below) != flat(above))
    assert field(0.0, jnp.array([1.5]), p, below) == pytest.approx(1.5)
    assert field(0.0, jnp.array([0.5]), p, above) == pytest.approx(1.0)
    changed = np.asarray(flat(below) != flat(above))
    margin = np.asarray(field.margins(0.0, jnp.array([1.0]), p, below))[changed]
    assert np.abs(margin) == pytest.approx(0.003)


@pytest.mark.slow
@pytest.mark.sampled(8)
@pytest.mark.parametrize("name", [name for name in HIDDEN if name != "custom_vjp"])
def test_a_neglected_saltation_is_seen_inside_of_other_primitives(name):
    """y' = 1 up to y = p, then 2; with the threshold p in the scaled state dy(2)/dp is -1.

    custom_vjp is left out: JAX has no forward mode for it.
    """
    rate = HIDDEN[name]
    model = Model(
        name="hidden",
        vector_field=lambda t, y, p: rate(y[0] * 1.003 / p[0]) * jnp.ones(1),
        states={"y": (0.0, "1")},
        parameters={"p": (1.003, "1")},
        t_end=2.0,
    )
    result = gradaudit.sensitivities(model, rtol=1e-6, estimate=True)
    assert result.indicators["neglected"] == pytest.approx(1.0)
    assert result.estimates.sensitivities[-1, 0, 0] == pytest.approx(-1.0, rel=2e-3)


@pytest.mark.slow
def test_saltation_follows_a_switch_inside_of_other_primitives(rate):
    """The same with the threshold declared: dy(2)/dp = -1 to the accuracy of the solve."""
    model = Model(
        name="hidden",
        vector_field=lambda t, y, p: rate(y[0] * 1.003 / p[0]) * jnp.ones(1),
        states={"y": (0.0, "1")},
        parameters={"p": (1.003, "1")},
        t_end=2.0,
        events={"threshold": Event(when=lambda t, y, p: y[0] - p[0])},
    )
    result = gradaudit.sensitivities(model, rtol=1e-8, method="saltation")
    assert result.status == "ok"
    assert result.sensitivities[-1, 0, 0] == pytest.approx(-1.0, abs=1e-8)


SWITCHING = {
    "max": lambda x: jnp.maximum(x, 1.0),
    "min": lambda x: jnp.minimum(x, 1.0),
    "abs": lambda x: jnp.abs(x - 1.0),
    "sign": lambda x: jnp.sign(x - 1.0),
    "clamp": lambda x: jnp.clip(x, 1.0, 3.0),
    "floor": jnp.floor,
    "ceil": jnp.ceil,
    "round": lambda x: jnp.round(x + 0.5),
    "rem": lambda x: jnp.fmod(x, 1.0),
}


@pytest.mark.parametrize("name", SWITCHING)
def test_a_primitive_is_itself_on_its_own_branch_and_meets_its_boundary_at_one(name):
    function = SWITCHING[name]
    field = FrozenField(lambda t, y, p: jnp.atleast_1d(function(y[0])), 1, 1)
    p = jnp.ones(1)
    for y in (0.7, 1.4):
        z = jnp.array([y])
        decisions = field.decisions(0.0, z, p)
        assert field(0.0, z, p, decisions)[0] == pytest.approx(float(function(y)))
        margins = np.asarray(field.margins(0.0, jnp.array([1.0]), p, decisions))
        assert np.min(np.abs(margins)) == pytest.approx(0.0, abs=1e-15)


def test_a_smooth_maximum_is_no_switch():
    assert not FrozenField(lambda t, y, p: jax.nn.softplus(y), 1, 1).switches


def test_equations_of_inner_jaxprs_are_walked():
    jaxpr = jax.make_jaxpr(lambda x: (in_scan(x), jax.checkpoint(jnp.sin)(x)))(1.0).jaxpr
    names = {eqn.primitive.name for eqn in equations(jaxpr)}
    assert {"scan", "lt", "select_n", "sin"} <= names


def test_a_loop_of_unknown_length_that_compares_numbers_is_refused():
    def halved(t, z, p):
        return jax.lax.while_loop(lambda c: c[0] > p[0], lambda c: c / 2, z)

    field = FrozenField(halved, 1, 1)
    with pytest.raises(TranslationError, match="'while_loop' of a vector field compares"):
        field.decisions(0.0, jnp.ones(1), jnp.ones(1))


def test_a_loop_that_counts_is_followed():
    def halved(t, z, p):
        return jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] / 2), (0, z))[1]

    field = FrozenField(lambda t, z, p: jnp.abs(halved(t, z, p)), 1, 1)
    z = jnp.ones(1)
    assert float(field(0.0, z, z, field.decisions(0.0, z, z))[0]) == 0.125
