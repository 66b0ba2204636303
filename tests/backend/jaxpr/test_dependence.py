"""Which parameters a function reads: exact where it can be followed, never too few."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

import gradaudit.backend.jax_setup  # noqa: F401 - switches x64 on
from gradaudit.backend.jaxpr.dependence import LONGEST_FOLLOWED, parameters_read
from gradaudit.backend.jaxpr.tracing import trace

SIZE = 4


def read(function) -> list[int]:
    closed = trace(function, (None, 2, SIZE), "test")
    return np.flatnonzero(parameters_read(closed, 2, SIZE)).tolist()


def scanned(p, length):
    return lax.scan(lambda carry, _: (carry + p[1], None), 0.0, None, length=length)[0] * p[3]


FUNCTIONS = {
    "none": (lambda t, y, p: t * y, []),
    "entry": (lambda t, y, p: p[2] * y, [2]),
    "slice": (lambda t, y, p: p[1:3], [1, 2]),
    "stride": (lambda t, y, p: p[::2], [0, 2]),
    "stack": (lambda t, y, p: jnp.stack([p[0], p[3]]), [0, 3]),
    "concatenate, then one half": (lambda t, y, p: jnp.concatenate([p[:2], y])[:2], [0, 1]),
    "concatenate, then the other half": (lambda t, y, p: jnp.concatenate([p[:2], y])[2:], []),
    "reshape": (lambda t, y, p: p.reshape(2, 2)[1], [2, 3]),
    "transpose": (lambda t, y, p: p.reshape(2, 2).T[1], [1, 3]),
    "broadcast": (lambda t, y, p: jnp.broadcast_to(p[1], (2, 2))[0], [1]),
    "where": (lambda t, y, p: jnp.where(t < p[0], p[1], y), [0, 1]),
    "jit": (lambda t, y, p: jax.jit(lambda q: q[3])(p), [3]),
    "short scan": (lambda t, y, p: scanned(p, 3), [1, 3]),
    "reduction": (lambda t, y, p: jnp.sum(p[:3]), [0, 1, 2]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_exactly_the_parameters_are_marked_that_the_function_reads(name):
    function, expected = FUNCTIONS[name]
    assert read(function) == expected


@pytest.mark.parametrize(
    ("function", "needed"),
    [
        (lambda t, y, p: scanned(p, LONGEST_FOLLOWED + 1), {1, 3}),
        (lambda t, y, p: lax.cond(t < 1, lambda: p[0], lambda: p[1]), {0, 1}),
    ],
    ids=["long scan", "cond"],
)
def test_what_is_not_followed_marks_at_least_what_is_read(function, needed):
    """Both are marked with everything that goes in, which may be all of p."""
    assert needed <= {*read(function)}


OPERATIONS = {
    "sin": lambda x: jnp.sin(x),
    "reverse": lambda x: x[::-1],
    "cumsum": lambda x: jnp.cumsum(x),
    "sort": lambda x: jnp.sort(x),
    "roll": lambda x: jnp.roll(x, 1),
    "matmul": lambda x: jnp.outer(x, x) @ x,
    "max": lambda x: jnp.maximum(x, jnp.mean(x)),
    "where": lambda x: jnp.where(x > 0.3, x, x**2),
}


@settings(max_examples=20, deadline=None)
@given(names=st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=3), entry=st.integers(0, 3))
def test_no_parameter_with_a_derivative_is_left_out(names, entry):
    """A derivative that is not 0 proves that the parameter is read."""

    def function(t, y, p):
        del t, y
        for name in names:
            p = OPERATIONS[name](p)
        return p[entry]

    p = jnp.array([0.1, 0.7, 0.4, 0.9])
    slope = jax.jacfwd(lambda p: function(0.0, jnp.zeros(2), p))(p)
    assert {*np.flatnonzero(slope).tolist()} <= {*read(function)}
