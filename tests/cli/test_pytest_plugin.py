"""The fixture `gradient_check`, in a pytest of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from gradaudit.checked.gradient_check import GradientCheck
from gradaudit.cli.pytest_plugin import entry_of, is_worse

FAILED = GradientCheck(
    outcome="failed",
    disagreement=0.5,
    error_bar=0.01,
    accuracy=1e-2,
    reason="It is wrong.",
    compared="given numbers against central differences",
)

TESTS = """
import jax.numpy as jnp

def square(p):
    return jnp.sum(p**2)

def test_right(gradient_check):
    assert gradient_check(square, jnp.array([1.0, 2.0])).passed

def test_wrong(gradient_check):
    gradient_check(square, jnp.array([1.0, 2.0]), jnp.array([2.0, 5.0]))
"""


def test_what_failed_before_fails_again_only_if_it_is_worse():
    before = entry_of(FAILED)
    assert is_worse(FAILED, None)
    assert is_worse(FAILED, {**before, "outcome": "passed"})
    assert not is_worse(FAILED, before)
    assert not is_worse(replace(FAILED, disagreement=0.515), before)  # within the bars
    assert is_worse(replace(FAILED, disagreement=0.6), before)
    assert is_worse(replace(FAILED, disagreement=float("nan")), before)


@pytest.mark.slow
def test_a_wrong_gradient_fails_unless_it_is_known(tmp_path):
    (tmp_path / "test_mine.py").write_text(TESTS, encoding="utf-8")

    def run(*options: str) -> str:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stdout

    out = run()
    assert "1 failed, 1 passed" in out
    assert "gradient check: failed" in out
    kept = "--gradient-baseline=checks.json"
    assert "1 failed, 1 passed" in run(kept, "--gradient-baseline-update")
    content = json.loads((tmp_path / "checks.json").read_text())
    assert content["checks"]["test_mine.py::test_wrong 1"]["outcome"] == "failed"
    assert "2 passed" in run(kept)
