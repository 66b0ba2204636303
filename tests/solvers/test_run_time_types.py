"""Shapes in annotations are checked when the tests run."""

from __future__ import annotations

import jax.numpy as jnp
import jaxtyping
import pytest

from gradaudit.solvers.error_norm import state_norm
from gradaudit.solvers.options import TracedOptions


def test_a_matrix_is_refused_where_a_vector_belongs():
    options, vector = TracedOptions(1e-3, 1e-6), jnp.ones(2)
    assert state_norm(options, vector, vector, vector).shape == ()
    with pytest.raises(jaxtyping.TypeCheckError):
        state_norm(options, jnp.ones((2, 2)), vector, vector)
