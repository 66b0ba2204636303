"""What is said of inputs that are not double precision, and of numbers that are compared."""

from __future__ import annotations

import re
import subprocess
import sys

import jax
import jax.numpy as jnp
import lineax
import numpy as np
import optimistix
import pytest

import gradaudit
from gradaudit import Model
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


@pytest.mark.slow
def test_an_array_made_before_double_precision_was_switched_on_is_told_how_to_be_mended():
    said = subprocess.run(
        [sys.executable, "-c", SINGLE], capture_output=True, text=True, check=True
    ).stdout
    assert "float32" in said
    assert "jax_enable_x64" in said


PARAMETERS = """
import jax.numpy as jnp
{name} = jnp.array([0.3])
{other} = 1.0 * jnp.arange(1, 2)
import gradaudit
fun = gradaudit.checked_jacfwd(
    lambda ys: ys[-1, 0], lambda t, y, p: -p * y, y0=y0, ts=[1.0])
print(fun(p).jacobian.dtype)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "other"), [("p", "y0"), ("y0", "p")])
def test_parameters_made_before_double_precision_was_switched_on_are_warned_of(name, other):
    done = subprocess.run(
        [sys.executable, "-c", PARAMETERS.format(name=name, other=other)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "float64" in done.stdout
    assert done.stderr.count("ModelWarning") == 1
    assert f"ModelWarning: {name} is float32 and has 0.30000001192092896" in done.stderr


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


@pytest.mark.slow
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


def _by_lineax(t, y, p):
    operator = lineax.MatrixLinearOperator(jnp.array([[2.0, 1.0], [1.0, 3.0]]) * p[0])
    return -lineax.linear_solve(operator, y, throw=False).value


def _by_optimistix(t, y, p):
    root = optimistix.root_find(
        lambda z, a: z**3 + z - a * y[0],
        optimistix.Newton(1e-10, 1e-10),
        jnp.array(1.0),
        args=p[0],
        throw=False,
    )
    return -root.value * jnp.ones(2)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("field", "call"), [(_by_lineax, "lineax.linear_solve"), (_by_optimistix, "optimistix")]
)
def test_a_reference_names_the_solver_of_another_package(field, call):
    model = Model(
        name="implicit",
        vector_field=field,
        states={"a": (1.0, ""), "b": (2.0, "")},
        parameters={"k": (1.0, "")},
        t_end=1.0,
    )
    with pytest.raises(GradauditError, match=call):
        gradaudit.reference(model)


@jax.custom_vjp
def _with_transpose(x):
    return x * x


_with_transpose.defvjp(lambda x: (x * x, x), lambda x, ct: (2.0 * x * ct,))


@pytest.mark.slow
def test_a_rule_for_reverse_mode_alone_is_named_where_forward_mode_is_asked_for():
    """y' = -k y^2 from 1: dy(1)/dk is -1/4; what needs no derivative by JAX is right."""

    def field(t, y, p):
        return -p[0] * _with_transpose(y)

    model = Model(
        name="transposed",
        vector_field=field,
        states={"y": (1.0, "")},
        parameters={"k": (1.0, "")},
        t_end=1.0,
    )
    with pytest.raises(GradauditError, match="custom_jvp"):
        gradaudit.sensitivities(model)
    with pytest.raises(GradauditError, match="custom_jvp"):
        checked_jacfwd(lambda ys: ys[-1], field, y0=jnp.ones(1), ts=[1.0])(jnp.ones(1))
    certified = gradaudit.reference(model)
    assert certified.sensitivities[-1, 0, 0] == pytest.approx(-0.25, rel=10.0**-certified.digits)
