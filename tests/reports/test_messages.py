"""What is said of inputs that are not double precision, and of numbers that are compared."""

from __future__ import annotations

import re
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from gradaudit.checked import checked_jacfwd
from gradaudit.errors import GradauditError

SINGLE = """
import jax.numpy as jnp
values = jnp.array([0.3, 0.7])
import gradaudit
from gradaudit import Model
try:
    print(gradaudit.reference(Model(
        name="single", vector_field=lambda t, y, p: -p[0] * values[0] * y,
        states={"y": (1.0, "1")}, parameters={"k": (1.0, "1")}, t_end=1.0, observations=2)).status)
except gradaudit.GradauditError as error:
    print(error)
"""


def test_an_array_made_before_double_precision_was_switched_on_is_told_how_to_be_mended():
    said = subprocess.run(
        [sys.executable, "-c", SINGLE], capture_output=True, text=True, check=True
    ).stdout
    assert "float32" in said
    assert "jax_enable_x64" in said


def _decay(t, y, p):
    return -p * y


@pytest.mark.parametrize("where", ["p", "y0"])
def test_complex_inputs_are_refused_by_name(where):
    p, y0 = jnp.array([0.7]), jnp.array([1.0])
    p, y0 = (p + 1j, y0) if where == "p" else (p, y0 + 1j)
    with pytest.raises(GradauditError, match=rf"{where}.*complex|complex.*{where}"):
        checked_jacfwd(lambda ys: ys, _decay, y0=y0, ts=[1.0])(p)


@pytest.mark.parametrize("dtype", [np.float32])
def test_inputs_of_less_precision_are_what_they_are_in_double(dtype):
    p = np.array([2], dtype=dtype)
    result = checked_jacfwd(lambda ys: ys[-1, 0], _decay, y0=jnp.array([1.0]), ts=[1.0])(p)
    assert result.jacobian.dtype == jnp.float64
    np.testing.assert_allclose(result.jacobian, -np.exp(-2.0), rtol=1e-5)


def test_a_message_about_an_estimate_compares_numbers_that_are_so():
    """Where it says that the estimate is above an alarm, it is."""
    result = checked_jacfwd(
        lambda ys: ys[-1, 0], lambda t, y, p: p * y * (1.0 - y), y0=jnp.array([1e-9]),
        ts=[25.0], atol=1e-6,
    )(1.0)  # fmt: skip
    said = " ".join(result.warnings.messages())
    assert said
    numbers = re.search(r"Jacobian is (\S+)\. The alarm is at (\S+), from", said)
    if numbers:
        estimate, alarm = (float(text.rstrip(",.")) for text in numbers.groups())
        assert estimate >= alarm
