"""Programs of these tests are compiled to run once."""

from __future__ import annotations

import gc

import jax
import pytest


@pytest.fixture(scope="module", autouse=True)
def _compiled_fast():
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)


@pytest.fixture(scope="module", autouse=True)
def _forgotten():
    """The programs of a module's models are needed by no other."""
    yield
    jax.clear_caches()
    gc.collect()
