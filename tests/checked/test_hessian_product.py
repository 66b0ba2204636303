"""Hessian-vector products against closed forms, within their estimated errors, or refused."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.errors import SettingError

TIMES = np.array([0.5, 1.0, 2.0, 4.0])
DATA = jnp.array([0.2, 0.3, 0.5, 0.9])
P = {"rate": 1.2, "size": 2.0}


def logistic(t, y, p):
    return p["rate"] * y * (1 - y / p["size"])


def loss(ys):
    return jnp.sum((ys[:, 0] - DATA) ** 2)


def exact(p, v):
    """H v of the closed form of the logistic equation."""

    def function(p):
        growth = (p["size"] / 0.1 - 1) * jnp.exp(-p["rate"] * TIMES)
        return loss((p["size"] / (1 + growth))[:, None])

    p, v = (jax.tree.map(jnp.asarray, one) for one in (p, v))
    value = jax.jvp(function, (p,), (v,))[1]
    return value, jax.jvp(jax.grad(function), (p,), (v,))[1]


@pytest.fixture(scope="module")
def products():
    return {
        rtol: gradaudit.checked_hvp(loss, logistic, y0=np.array([0.1]), ts=TIMES, rtol=rtol)
        for rtol in (1e-6, 1e-3, 1e-9)
    }


@pytest.mark.slow
@pytest.mark.parametrize("v", [{"rate": 0.3, "size": -1.0}, {"rate": 1e-6, "size": 0.0}])
@pytest.mark.parametrize("rtol", [1e-6, 1e-3, 1e-9])
def test_it_is_the_closed_form_within_its_estimate(products, rtol, v):
    found = products[rtol](P, v)
    value, product = exact(P, v)
    wrong = np.array([float(found.jacobian[k] - product[k]) for k in P])
    estimated = np.array([float(found.error[k]) for k in P])
    size = np.linalg.norm([float(product[k]) for k in P])
    # a distance to half the steps is 0.97 of the error of Tsit5, and a few times rounding
    assert np.linalg.norm(wrong) < 2.0 * np.linalg.norm(estimated) + 1e-13 * size
    assert np.linalg.norm(wrong) < 50 * rtol * size
    np.testing.assert_allclose(found.value, value, rtol=50 * rtol)
    assert not found.warnings.any


def test_it_is_linear_and_symmetric(products):
    product = products[1e-6]
    u, v = {"rate": 1.0, "size": 0.0}, {"rate": 0.0, "size": 1.0}
    left, right = product(P, u).jacobian["size"], product(P, v).jacobian["rate"]
    np.testing.assert_allclose(left, right, rtol=1e-4)  # of the tolerance
    twice = product(P, {"rate": 2e5, "size": 0.0}).jacobian
    np.testing.assert_allclose(twice["rate"], 2e5 * product(P, u).jacobian["rate"], rtol=1e-12)
    nothing = product(P, {"rate": 0.0, "size": 0.0})
    assert float(nothing.jacobian["rate"]) == float(nothing.jacobian["size"]) == 0.0


@pytest.mark.slow
def test_an_initial_state_that_depends_on_the_parameters():
    # y = p^2 exp(-p t): the second derivative at t = 1 is (2 - 4 p + p^2) exp(-p)
    product = gradaudit.checked_hvp(
        lambda ys: ys[-1, 0],
        lambda t, y, p: -p * y,
        y0=lambda p: (p**2)[None],
        ts=[1.0],
        rtol=1e-9,
    )
    found = jax.jit(product)(jnp.asarray(1.5), jnp.asarray(1.0))
    np.testing.assert_allclose(found.jacobian, (2 - 6 + 2.25) * np.exp(-1.5), rtol=1e-7)


@pytest.mark.slow
def test_a_switch_at_a_fixed_time_is_integrated():
    def field(t, y, p):
        return -p * y * jnp.where(t < 0.5, 1.0, 2.0)

    found = gradaudit.checked_hvp(
        lambda ys: ys[-1, 0], field, y0=np.array([2.0]), ts=[1.0], jump_ts=[0.5], rtol=1e-8
    )(jnp.array([1.0]), jnp.array([1.0]))
    # y(1) = 2 exp(-1.5 p)
    np.testing.assert_allclose(found.jacobian, [4.5 * np.exp(-1.5)], rtol=1e-6)


@pytest.mark.parametrize(
    "field",
    [
        lambda t, y, p: -p * jnp.where(y > 1.0, y, 2 * y),
        lambda t, y, p: -p * jnp.maximum(y, 1.0),
        lambda t, y, p: -p * jnp.abs(y - 1.0),
        lambda t, y, p: -y * jnp.where(t < p, 1.0, 2.0),
        lambda t, y, p: -p * jax.nn.relu(y - 1.0),
    ],
)
def test_a_switch_that_states_or_parameters_move_is_refused_by_name(field):
    product = gradaudit.checked_hvp(lambda ys: ys[-1, 0], field, y0=np.array([2.0]), ts=[1.0])
    with pytest.raises(SettingError, match=r"switches from one branch .* Gauss-Newton matrix"):
        product(jnp.array([1.0]), jnp.array([1.0]))


def test_models_and_readouts_of_many_numbers_are_refused_by_name():
    with pytest.raises(SettingError, match=r"not a str: second derivatives of declared models"):
        gradaudit.checked_hvp(lambda ys: ys[-1, 0], "logistic", y0=np.array([1.0]), ts=[1.0])
    product = gradaudit.checked_hvp(lambda ys: ys[:, 0], logistic, y0=np.array([0.1]), ts=TIMES)
    with pytest.raises(SettingError, match="returns one number"):
        product(P, P)
