"""Functions that are evaluated once, compiled or not."""

from __future__ import annotations

from contextvars import Context

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit.backend import once
from gradaudit.backend.jax_setup import run_compiled, to_run_once


def function(x, y):
    return jnp.sin(x) * y, x - y


@pytest.mark.parametrize("many", [0, 10_000])
def test_the_value_is_that_of_the_function(monkeypatch, many):
    monkeypatch.setattr(once, "MANY", many)
    product, difference = once.evaluated(function, np.array([0.5, 1.0]), 2.0)
    # sin by two code generators: a few units of the last place
    np.testing.assert_allclose(product, np.sin([0.5, 1.0]) * 2.0, rtol=1e-15)
    np.testing.assert_array_equal(difference, [-1.5, -1.0])


def test_a_program_that_is_not_optimised_stands_for_no_other():
    compiled: dict = {}
    # In no context but that of a user, whatever the quick tests run in.
    Context().run(run_compiled, compiled, "key", function, (1.0, 2.0))
    with to_run_once():
        run_compiled(compiled, "key", function, (1.0, 2.0))
        run_compiled(compiled, "key", function, (3.0, 2.0))
    assert len(compiled) == 2
