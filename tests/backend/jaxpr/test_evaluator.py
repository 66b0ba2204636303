"""An evaluator inlines calls and unrolls scans to what JAX itself computes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from gradaudit.backend.jaxpr.evaluator import Evaluator


class Plain(Evaluator):
    """Evaluates with JAX's own primitives, unrolling every scan; it records what it met."""

    def __init__(self):
        self.met = []

    def constant(self, value):
        return value

    def stack(self, rows):
        return jnp.stack(rows)

    def scan(self, eqn, values):
        return self.unrolled(eqn, values)

    def primitive(self, eqn, values):
        self.met.append(eqn.primitive.name)
        result = eqn.primitive.bind(*values, **eqn.params)
        return list(result) if eqn.primitive.multiple_results else [result]


def cumulative(x, reverse=False):
    def step(carry, row):
        return carry * row + 1.0, carry + row

    return lax.scan(step, x[0], x, reverse=reverse)


FUNCTIONS = {
    "scan": cumulative,
    "reversed scan": lambda x: cumulative(x, reverse=True),
    "nested calls": jax.jit(lambda x: jax.checkpoint(jax.jit(jnp.sin))(x) * 2.0),
    "conditional": lambda x: lax.cond(x[0] > 0.0, jnp.sin, jnp.cos, x),
    "softplus": jax.nn.softplus,
    "a closed-over constant": lambda x: x + np.arange(3.0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_result_is_that_of_jax(name):
    x = jnp.array([0.3, -1.2, 2.0])
    closed = jax.make_jaxpr(FUNCTIONS[name])(x)
    evaluated = Plain().evaluate(closed, [x])
    expected = jax.tree_util.tree_leaves(FUNCTIONS[name](x))
    assert len(evaluated) == len(expected)
    for value, wanted in zip(evaluated, expected, strict=True):
        # the order of operations is the same, but a compiled call may fuse them
        np.testing.assert_allclose(value, wanted, rtol=4 * jnp.finfo(x.dtype).eps)


def test_a_call_is_never_handed_on_as_a_primitive():
    evaluator = Plain()
    evaluator.evaluate(jax.make_jaxpr(FUNCTIONS["nested calls"])(jnp.ones(3)), [jnp.ones(3)])
    assert set(evaluator.met) == {"sin", "mul"}


def test_logaddexp_can_be_taken_as_a_whole():
    class Whole(Plain):
        def log_add_exp(self, values):
            self.met.append("whole")
            return [jnp.logaddexp(*values)]

    evaluator, x = Whole(), jnp.array([0.3])
    (value,) = evaluator.evaluate(jax.make_jaxpr(jax.nn.softplus)(x), [x])
    assert evaluator.met.count("whole") == 1
    np.testing.assert_allclose(value, jax.nn.softplus(x), rtol=1e-6)
