"""What traces show of a function, and what a call leaves behind in Python."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit.backend.jax_setup  # noqa: F401  # float64
from gradaudit.backend.jaxpr.purity import constants, effects, python_state, same, types

COUNTER = [0]
SCALE = 2.0


def trace(function, *arguments):
    return jax.make_jaxpr(function)(*(arguments or (1.0,)))


def test_a_pure_function_has_no_effects():
    assert effects(trace(lambda x: jnp.sin(x) + 1.0)) == []


def test_callbacks_are_named_wherever_they_are():
    def within(x):
        jax.debug.print("{}", x)
        return x

    assert len(effects(trace(within))) == 1
    looped = trace(lambda x: jax.lax.fori_loop(0, 3, lambda i, y: within(y), x))
    assert effects(looped) == effects(trace(within))
    assert "debug" in effects(looped)[0]


def test_constants_are_those_of_inner_functions_as_well():
    table = jnp.array([1.0, 2.0])
    found = constants(trace(jax.jit(lambda x: x * 3.0 + table)))
    assert any(array.size == 1 and array == 3.0 for array in found)
    assert any(array.shape == (2,) and (array == table).all() for array in found)


def test_types_of_all_values_are_listed():
    assert types(trace(lambda x: x + 1.0)) == {"float64"}
    cast = trace(lambda x: x.astype(jnp.float32).astype(jnp.float64), jnp.asarray(1.0))
    assert types(cast) == {"float64", "float32"}


def test_two_traces_of_one_function_are_the_same():
    def function(x):
        return jnp.where(x > 0.0, jnp.sin(x), x * jnp.array([1.0, 2.0]).sum())

    assert same(trace(function), trace(function))


@pytest.mark.parametrize(
    "other",
    [
        lambda x, y: x - y + 2.0,  # another primitive
        lambda x, y: y * x + 2.0,  # another wiring
        lambda x, y: x * y + 3.0,  # another constant
        lambda x, y: (x * y + 2.0, x),  # another result
    ],
)
def test_a_trace_that_does_something_else_is_not_the_same(other):
    assert not same(trace(lambda x, y: x * y + 2.0, 1.0, 2.0), trace(other, 1.0, 2.0))


def test_constants_that_differ_by_rounding_are_not_the_same():
    tables = [np.array([0.3, 1.0]), np.array([0.1 + 0.2, 1.0])]
    one, other = (trace(lambda x, table=table: x * jnp.asarray(table)) for table in tables)
    assert not same(one, other)


def changed_by(function):
    before = python_state(function)
    function()
    after = python_state(function)
    return [name for name in after if after[name] != before[name]]


def test_a_global_that_is_changed_is_named():
    def count():
        COUNTER.append(0)

    def read():
        return COUNTER, SCALE

    assert changed_by(count) == ["COUNTER"]
    assert changed_by(read) == []


def test_a_variable_of_an_enclosing_function_is_named():
    calls = 0

    def count():
        nonlocal calls
        calls += 1

    assert changed_by(count) == ["calls"]


def test_a_default_argument_that_is_changed_is_named():
    def count(memory=[]):  # noqa: B006
        memory.append(1)

    assert changed_by(count) == ["a default argument of count"]


def test_entries_of_arrays_and_dicts_are_looked_at():
    array, table = np.zeros(3), {"a": 1}

    def fill():
        array[1] += 1.0

    def replace():
        table["a"] = object()

    assert changed_by(fill) == ["array"]
    assert changed_by(replace) == ["table"]


def test_functions_of_the_same_file_are_followed():
    state = []

    def inner():
        state.append(1)

    def outer():
        inner()

    assert changed_by(outer) == ["state"]
    assert set(python_state(outer)) == {"outer", "inner", "state"}
