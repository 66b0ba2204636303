"""Models as text in DiffSL: inputs, states and right-hand sides, and what cannot be written."""

import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("casadi")

from gradaudit import Model, TranslationError
from gradaudit.sensitivity.external.diffsl import _number, diffsl


def model_of(field, **more):
    return Model(
        name="case",
        vector_field=field,
        states={"a": (1.0, "1"), "b": (2.0, "1")},
        parameters={"p": (4.0, "1"), "q": (-0.5, "1")},
        t_end=1.0,
        **more,
    )


def evaluated(text, t, y, q):
    """The values of all names in a program, by Python."""
    names = {"t": t, **{f"y{i}": value for i, value in enumerate(y)}}
    names |= {f"q{j}": value for j, value in enumerate(q)}
    functions = {name: getattr(np, name) for name in ("exp", "log", "sin", "cos", "tanh", "sqrt")}
    functions["pow"] = np.power
    for line in text.splitlines():
        name, _, body = line.partition(" { ")
        body = body.removesuffix(" }")
        if name in ("in_i", "u_i"):
            continue
        if name == "F_i":
            names[name] = eval(f"[{body}]", functions, names)
            continue
        names[name] = eval(body, functions, names)
    return names


def test_inputs_are_parameters_over_their_scale():
    lines = diffsl(model_of(lambda t, y, p: jnp.stack([p[0] * y[0], p[1] * y[1]]))).splitlines()
    assert lines[0] == "in_i { q0 = 1.0e+00, q1 = -1.0e+00 }"
    assert lines[1:3] == ["p0 { 4.0e+00 * q0 }", "p1 { 5.0e-01 * q1 }"]
    (start,) = (line for line in lines if line.startswith("u_i"))
    assert start == "u_i { y0 = (1.0e+00), y1 = (2.0e+00), y2 = 0.0 }"


def test_the_program_computes_the_field_and_its_integrals():
    def field(t, y, p):
        return jnp.stack([jnp.exp(-p[0] * t) * y[1] ** 3, jnp.tanh(y[0]) / p[1] + jnp.sin(t) - 2.0])

    text = diffsl(model_of(field, integrands={"area": lambda t, y, p: y[0] * jnp.sqrt(y[1])}))
    t, y = 0.3, np.array([0.7, 1.1])
    expected = field(t, y, np.array([4.0, -0.5]))
    found = evaluated(text, t, y, [1.0, -1.0])["F_i"]
    np.testing.assert_allclose(found, [*expected, 0.7 * np.sqrt(1.1)], rtol=1e-14)


def test_an_initial_state_that_depends_on_parameters_is_computed_first():
    model = model_of(
        lambda t, y, p: -y,
        initial_state=lambda p: jnp.stack([p[0] * p[0], jnp.cos(p[1])]),
    )
    text = diffsl(model)
    (start,) = (line for line in text.splitlines() if line.startswith("u_i"))
    names = evaluated(text, 0.0, [0.0, 0.0], [1.0, -1.0])
    values = [part.partition(" = ")[2] for part in start[6:-2].split(", ")]
    found = [float(names.get(value, value.strip("()"))) for value in values]
    np.testing.assert_allclose(found[:2], [16.0, np.cos(-0.5)], rtol=1e-15)


def test_a_branch_is_not_in_the_language():
    with pytest.raises(TranslationError, match=r"model 'case': casadi's operation .*DiffSL"):
        diffsl(model_of(lambda t, y, p: jnp.where(t < p[0], y, 0.0)))


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1.0e+00"), (-2.5e-10, "-2.5e-10"), (0.1, "1.0e-01")]
)
def test_numbers_are_written_with_all_their_digits(value, text):
    assert _number(value) == text
    assert float(_number(np.pi)) == np.pi


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_cannot_be_written(value):
    with pytest.raises(TranslationError, match="cannot be written in DiffSL"):
        _number(value)
