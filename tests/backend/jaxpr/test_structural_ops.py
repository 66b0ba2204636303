"""Primitives that move values: on numbers as objects they do what JAX does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit.backend.jax_setup  # noqa: F401  # float64
from gradaudit.backend.jaxpr.evaluator import Evaluator
from gradaudit.backend.jaxpr.structural_ops import COMMON, by_position
from gradaudit.errors import TranslationError

X = np.arange(12.0).reshape(3, 4)


class Objects(Evaluator):
    """Moves entries that are objects; what has no float in it is run by JAX."""

    def constant(self, value):
        return np.asarray(value)

    def stack(self, rows):
        return np.stack(rows)

    def primitive(self, eqn, values):
        name = eqn.primitive.name
        if not any(value.dtype == object for value in values):
            out = eqn.primitive.bind(*values, **eqn.params)
            return [np.asarray(v) for v in (out if eqn.primitive.multiple_results else [out])]
        if name in COMMON:
            moved = COMMON[name](*values, **eqn.params)
            return moved if eqn.primitive.multiple_results else [moved]
        return [by_position(eqn, values, "here")]


def moved(function, *arguments):
    closed = jax.make_jaxpr(function)(*arguments)
    objects = [np.array(argument, dtype=object) for argument in arguments]
    return closed, Objects().evaluate(closed, objects)[0]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[1:, ::2],
        lambda x: x[None, 0],
        lambda x: x.reshape(2, 6),
        lambda x: jnp.broadcast_to(x[:, :1], (3, 5)),
        lambda x: jnp.concatenate([x, x[:1]], axis=0),
        lambda x: jnp.stack([x, x], axis=1),
        lambda x: x.T,
        lambda x: jnp.flip(x, 1),
        lambda x: jnp.tile(x, (2, 1)),
        lambda x: jnp.split(x, [1], axis=1)[1],
        lambda x: x[jnp.array([2, 0])],
        lambda x: x[jnp.array([2, 0]), jnp.array([1, 3])],
        lambda x: x.at[1].set(x[0]),
        lambda x: jax.lax.dynamic_slice(x, (1, 1), (2, 2)),
        lambda x: jax.lax.dynamic_update_slice(x, x[:1, :1], (2, 3)),
        lambda x: jnp.pad(x, ((1, 0), (0, 2)), mode="edge"),
        lambda x: jax.lax.pad(x, x[0, 0], ((1, 0, 1), (0, 2, 0))),
    ],
)
def test_entries_go_where_jax_puts_them(function):
    _, found = moved(function, X)
    expected = np.asarray(function(jnp.asarray(X)))
    assert found.dtype == object
    np.testing.assert_array_equal(found.astype(float), expected)


def test_entries_are_the_very_objects():
    marks = np.empty(3, dtype=object)
    marks[:] = [object() for _ in range(3)]
    closed = jax.make_jaxpr(lambda x: x[jnp.array([2, 2, 0])])(jnp.zeros(3))
    (found,) = Objects().evaluate(closed, [marks])
    assert [entry is marks[k] for entry, k in zip(found, (2, 2, 0), strict=True)] == [True] * 3


def test_an_index_that_depends_on_the_state_is_refused():
    closed = jax.make_jaxpr(lambda x, i: jax.lax.dynamic_slice(x, (i,), (1,)))(jnp.zeros(3), 1)
    (eqn,) = (e for e in closed.jaxpr.eqns if e.primitive.name == "dynamic_slice")
    index = np.array(1, dtype=object)
    with pytest.raises(TranslationError) as error:
        by_position(eqn, [np.zeros(3, dtype=object), index], "model 'm'")
    assert str(error.value) == (
        "model 'm': the primitive 'dynamic_slice' has an index that depends on t, the state or a "
        "parameter. Index with constants."
    )


def test_a_read_out_of_bounds_is_refused():
    closed = jax.make_jaxpr(lambda x: x.at[jnp.array([5])].get(mode="fill"))(jnp.zeros(3))
    (eqn,) = (e for e in closed.jaxpr.eqns if e.primitive.name == "gather")
    with pytest.raises(TranslationError, match="'gather' reads out of bounds"):
        by_position(eqn, [np.zeros(3, dtype=object), np.array([[5]])], "model 'm'")
