"""Programs of these tests are compiled to run once; they are collected where they are asked for.

``GRADAUDIT_REPORTS=1 pytest tests/reports`` takes about ten minutes.
"""

from __future__ import annotations

import os

import jax
import pytest

collect_ignore_glob = [] if os.environ.get("GRADAUDIT_REPORTS") else ["test_*.py"]


@pytest.fixture(scope="session", autouse=True)
def _compiled_fast():
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
