"""Mistakes in a user's functions come as messages with a place and what to do."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit.errors import SettingError

TS = np.linspace(0.0, 1.0, 3)
P = {"rate": jnp.array(1.0), "size": jnp.array(2.0)}


def branches(t, y, p):
    return -p["rate"] * y if y[0] > 0.5 else -y


def with_numpy(t, y, p):
    return -p["rate"] * np.sin(y)


def with_float(t, y, p):
    return -float(p["rate"]) * y


def misspelt(t, y, p):
    return -p["rats"] * y


def unpacks(t, y, p):
    first, second, third = y
    return jnp.stack([first, second, third])


def fine(t, y, p):
    return -p["rate"] * y


MISTAKES = [
    (branches, ["branches in python on a traced value", "jnp.where"]),
    (with_numpy, ["applies a numpy function to a traced value", "jnp.sin, not np.sin"]),
    (with_float, ["makes a python number of a traced value"]),
    (misspelt, ["reads the name 'rats' (did you mean 'rate'?); the names are rate, size"]),
    (unpacks, ["values to unpack", "an array of shape (2,)"]),
]


def last(ys):
    return ys[-1]


def call(field, readout=last, **settings):
    return gradaudit.checked_jacfwd(readout, field, y0=jnp.array([1.0, 2.0]), ts=TS, **settings)(P)


@pytest.mark.parametrize(("field", "texts"), MISTAKES, ids=lambda x: getattr(x, "__name__", ""))
@pytest.mark.parametrize("solver", ["tsit5", "auto"])
def test_a_mistake_in_the_vector_field_is_told_with_its_place(field, texts, solver):
    with pytest.raises(SettingError) as caught:
        call(field, solver=solver)
    message = str(caught.value)
    assert message.startswith(f"vector_field ({__file__})")
    for text in texts:
        assert text in message
    assert not message.endswith("..")
    assert caught.value.__cause__ is not None


def test_so_is_one_in_the_readout_and_in_the_initial_state():
    with pytest.raises(SettingError, match=r"readout \(.*, line \d+, applies a numpy function"):
        call(fine, readout=lambda ys: np.sum(np.sin(ys)))
    with pytest.raises(SettingError, match=r"y0 \(.*, line \d+, reads the name 'start'"):
        gradaudit.checked_jacfwd(last, fine, y0=lambda p: p["start"] * jnp.ones(2), ts=TS)(P)


def test_a_second_derivative_tells_it_too():
    product = gradaudit.checked_hvp(
        lambda ys: jnp.sum(ys[-1] ** 2), branches, y0=jnp.array([1.0, 2.0]), ts=TS
    )
    with pytest.raises(SettingError, match="branches in python"):
        product(P, P)


@pytest.mark.parametrize(
    ("readout", "field", "said"),
    [
        (lambda ys: ys[-1], lambda t, y, p: -p[3] * y, "vector_field .* index 3 .* size 2"),
        (lambda ys: ys[-1, 1], lambda t, y, p: -p[1] * y, "readout .* index 1 .* size 1"),
    ],
)
def test_an_entry_that_does_not_exist_is_refused(readout, field, said):
    """JAX would take the last one."""
    run = gradaudit.checked_jacfwd(readout, field, y0=jnp.ones(1), ts=[1.0])
    with pytest.raises(SettingError, match=said):
        run(jnp.ones(2))


@pytest.mark.slow
def test_entries_counted_from_the_end_are_entries():
    run = gradaudit.checked_jacfwd(
        lambda ys: ys[-1, 0], lambda t, y, p: -p[-1] * y, y0=jnp.ones(1), ts=[1.0]
    )
    # to the tolerance, 1e-6: the derivative of exp(-p)
    assert float(run(jnp.array([3.0, 1.0])).jacobian[1]) == pytest.approx(-math.exp(-1.0), rel=1e-5)
