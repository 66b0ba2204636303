"""How programs are compiled: settings of the user are kept, results are those of the defaults."""

import os
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit.backend import jax_setup, xla_flags
from gradaudit.cli.main import main

SOLVE = """
import gradaudit
model = gradaudit.load_model("lotka_volterra")
solved = gradaudit.sensitivities(model, solver="tsit5", rtol=1e-6, atol=1e-9, method="forward_ad")
print(repr(float(solved.sensitivities[-1, 0, 0])))
"""


def test_flags_of_the_user_are_kept(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    xla_flags.compile_loops_whole()
    flags = os.environ["XLA_FLAGS"]
    assert flags.startswith("--xla_cpu_enable_fast_math=false ")
    assert f"{xla_flags.LOOPS}={xla_flags.ALL_LOOPS}" in flags
    own = f"--xla_backend_extra_options={xla_flags.LOOPS}=2048"
    monkeypatch.setenv("XLA_FLAGS", own)
    xla_flags.compile_loops_whole()
    assert os.environ["XLA_FLAGS"] == own


def test_a_command_in_an_environment_of_its_own_sets_them(monkeypatch, capsys):
    """As a job of a warm process, which has imported JAX in another environment."""
    monkeypatch.delenv("XLA_FLAGS")
    assert main(["models"]) == 0
    assert xla_flags.LOOPS in os.environ["XLA_FLAGS"]


@pytest.mark.slow
def test_whole_loops_give_the_numbers_of_the_defaults():
    """A sum in another order: rounding errors of 1e-16, amplified by some hundred steps."""
    numbers = []
    for limit in (1024, xla_flags.ALL_LOOPS):
        flags = f"--xla_backend_extra_options={xla_flags.LOOPS}={limit}"
        told = subprocess.run(
            [sys.executable, "-c", SOLVE],
            env=os.environ | {"XLA_FLAGS": flags},
            check=True,
            capture_output=True,
            text=True,
        )
        numbers.append(float(told.stdout))
    np.testing.assert_allclose(*numbers, rtol=1e-11)


def test_an_option_that_xla_does_not_have_is_left_out(monkeypatch):
    monkeypatch.setattr(jax_setup, "FAST_COMPILATION", {"xla_no_such_option": True})
    program = jax_setup.compile_for(lambda x: 2.0 * x, (jnp.ones(2),))
    assert np.array_equal(program(jnp.ones(2)), [2.0, 2.0])
