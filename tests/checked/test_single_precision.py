"""What was rounded to single precision, in what is given or on the way, is told of."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit.checked import checked_jacfwd
from gradaudit.checked.hessian_product import checked_hvp
from gradaudit.checked.single_precision import tell_of_casts
from gradaudit.errors import ModelWarning

SINGLE = np.float32(0.7)
P = np.array([0.1])


def _decay(t, y, p):
    return -p * y


def _last(ys):
    return ys[-1, 0]


def test_a_cast_is_told_of_with_its_digits():
    with pytest.warns(ModelWarning, match=r"readout rounds to float32, to 6 digits\."):
        tell_of_casts("readout", lambda x: jnp.sum(x.astype(jnp.float32)), jnp.ones(2))
    with pytest.warns(ModelWarning, match=r"rounds to bfloat16, to 2 digits\."):
        tell_of_casts("y0", jax.jit(lambda x: x.astype(jnp.bfloat16).astype(float)), jnp.ones(2))


def test_double_precision_and_constants_in_single_precision_are_no_cast():
    tell_of_casts("readout", lambda x: x * jnp.ones(2, jnp.float32) + 1, jnp.ones(2))
    tell_of_casts("readout", lambda x: x.astype(int), jnp.ones(2))


@pytest.mark.parametrize("name", ["ts", "t0", "jump_ts"])
def test_times_that_were_rounded_are_told_of(name):
    times = {"ts": [2.0], name: SINGLE[None] if name.endswith("ts") else SINGLE}
    with pytest.warns(ModelWarning, match=rf"{name} is float32 and has .*, .* rounded from 0\.7;"):
        checked_jacfwd(_last, _decay, y0=np.ones(1), **times)


@pytest.mark.parametrize("name", ["readout", "y0", "vector_field"])
def test_functions_that_round_are_told_of(name):
    given = {"readout": _last, "vector_field": _decay, "y0": lambda p: 3.0 * p}
    own = given[name]
    given[name] = lambda *arguments: own(*arguments).astype(jnp.float32)
    with pytest.warns(ModelWarning, match=f"{name} rounds to float32"):
        jax.eval_shape(checked_jacfwd(**given, ts=[0.5], propagate=False), P)


def test_a_hessian_of_a_rounded_number_is_told_of():
    product = checked_hvp(lambda ys: _last(ys).astype(jnp.float32), _decay, y0=np.ones(1), ts=[0.5])
    with pytest.warns(ModelWarning, match="readout rounds to float32"):
        jax.eval_shape(product, P, np.ones(1))


@pytest.mark.slow
def test_rates_in_single_precision_are_those_of_states_in_double_precision():
    p = jnp.array([1.1], jnp.float32)
    found = checked_jacfwd(
        _last,
        lambda t, y, p: (-p * y).astype(jnp.float32),
        y0=jnp.ones(1, jnp.float32),
        ts=[3.0],
    )
    told = r"p is float32 and has 1\.1000000238\d+, which was rounded from 1\.1;"
    with (
        pytest.warns(ModelWarning, match="vector_field rounds to float32, to 6 digits"),
        pytest.warns(ModelWarning, match=told),
    ):
        found = found(p)
    assert float(found.jacobian[0]) == pytest.approx(-3.0 * np.exp(-3.0 * float(p[0])), rel=1e-5)
