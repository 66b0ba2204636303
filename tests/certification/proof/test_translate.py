"""The text for CAPD is the function that was written: evaluated by mpmath in place of CAPD."""

from __future__ import annotations

import re

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from gradaudit import Event, Model
from gradaudit.certification.proof.terms import LONGEST
from gradaudit.certification.proof.translate import texts
from gradaudit.errors import TranslationError
from library_models import DECLARED

FUNCTIONS = ("exp", "log", "sqrt", "sin", "cos", "atan", "asin", "acos")
HEXADECIMAL = re.compile(r"-?0x[0-9a-f]+\.?[0-9a-f]*p[+-]\d+")
SMOOTH = [
    "logistic", "lorenz", "van_der_pol", "brusselator", "hires", "hodgkin_huxley", "robertson",
    "lotka_volterra", "fitzhugh_nagumo_canard", "drosophila_clock", "prothero_robinson", "snic",
]  # fmt: skip


def evaluated(text: str, values: dict[str, float]) -> list[float]:
    """The functions of a text at a point, in 50 digits and rounded to double."""
    head, body = text.rstrip(";").split(";fun:")
    names = head.removeprefix("var:").split(";")[0].split(",")
    assert set(names) <= set(values)
    # with names of its own, since a name of mpmath's is no name of CAPD's
    code = HEXADECIMAL.sub(lambda found: f"number('{found[0]}')", body).replace("^", "**")
    with mpmath.workdps(50):
        known = {name: getattr(mpmath, name) for name in FUNCTIONS}
        known |= {name: mpmath.mpf(value) for name, value in values.items()}
        known["number"] = lambda digits: mpmath.mpf(float.fromhex(digits))
        return [float(entry) for entry in eval(f"({code},)", {"__builtins__": {}}, known)]


def one_state(rate, **declared) -> Model:
    """A model y' = rate(t, y, p) of one state and two parameters."""
    return Model(
        name="made-up",
        vector_field=lambda t, y, p: jnp.atleast_1d(rate(t, y[0], p)),
        states={"y": (0.3, "1")},
        parameters={"a": (0.7, "1"), "b": (1.9, "1")},
        t_end=1.0,
        **declared,
    )


def points(model: Model, t: float = 0.4) -> dict[str, float]:
    """The values of all names of a text, at the model's own start."""
    y = {f"y{i}": float(value) for i, value in enumerate(model.declared_state)}
    return {"t": t} | y | {f"p{j}": float(value) for j, value in enumerate(model.nominal)}


@pytest.mark.parametrize("name", SMOOTH)
def test_the_text_of_a_model_of_the_library_is_its_vector_field(name):
    model = DECLARED[name]
    found = evaluated(texts(model).field, points(model))
    written = model.vector_field(0.4, model.declared_state, model.nominal)
    # the largest rate, since JAX in double cancels where the text in 50 digits does not
    scale = np.max(np.abs(written))
    np.testing.assert_allclose(found[: model.n], written, rtol=1e-12, atol=1e-13 * scale)
    assert found[model.n :] == [0.0] * model.m


@pytest.mark.parametrize(
    "rate",
    [
        lambda t, y, p: jnp.tanh(y * p[1]) + jax.nn.sigmoid(p[0] - y),
        lambda t, y, p: jnp.expm1(y) / jnp.log1p(p[0]) - jnp.exp2(t),
        lambda t, y, p: jnp.sin(p[1] * t) * jnp.cos(y) + jnp.tan(p[0] * y),
        lambda t, y, p: jnp.arcsin(y) + jnp.arccos(y) * jnp.arctan(p[1]),
        lambda t, y, p: jnp.sinh(y) - jnp.cosh(p[0]) + jnp.arctan2(y, p[0]),
        lambda t, y, p: jnp.arcsinh(y) + jnp.arccosh(p[1]) + jnp.arctanh(y),
        lambda t, y, p: jnp.sqrt(y) - jax.lax.rsqrt(p[0]) + jnp.cbrt(p[1]),
        lambda t, y, p: y**3 - y**-2 + y ** p[0] + y**2.5 + 2.0**y + y**0.0,
        lambda t, y, p: jax.nn.softplus(y) + jnp.logaddexp(p[0], y),
        lambda t, y, p: -y - (p[0] - (y - p[1])) - y / p[0] / p[1] * y,
        lambda t, y, p: 1e-300 * y + 1e22 * p[0] + (0.1 + 0.2) * y + 1.0 / 3.0,
        lambda t, y, p: jnp.sum(jnp.array([[1.0, -2.0], [0.0, 5.0]]) @ (y * p)) + jnp.prod(p),
        lambda t, y, p: jnp.zeros(3).at[jnp.array([0, 2])].add(y * p) @ jnp.cumsum(jnp.ones(3) * y),
        lambda t, y, p: jnp.polyval(jnp.array([1.0, 0.25, -3.0]), y) * p[0],
        lambda t, y, p: jnp.where(jnp.array([True, False]), p, y * p)[1],
    ],
)
def test_elementary_functions_keep_their_values(rate):
    model = one_state(rate)
    (found, *_) = evaluated(texts(model).field, points(model))
    written = model.vector_field(0.4, model.declared_state, model.nominal)
    # a dozen operations of JAX in double, each wrong by an ulp or two
    np.testing.assert_allclose(found, written[0], rtol=1e-14)


def test_numbers_are_the_doubles_that_they_are():
    # 0.1 is no decimal 0.1 there, and 0.1 + 0.2 is the exact sum of two doubles
    (found, *_) = evaluated(texts(one_state(lambda t, y, p: 0.1 * t)).field, {
        "t": 2.0**60, "y0": 1.0, "p0": 1.0, "p1": 1.0,
    })  # fmt: skip
    assert found == 0.1 * 2.0**60


def test_the_initial_state_is_a_function_of_the_parameters():
    model = one_state(lambda t, y, p: -y, initial_state=lambda p: jnp.stack([p[0] * p[1] ** 2]))
    assert texts(model).start.startswith("var:p0,p1;")
    (found,) = evaluated(texts(model).start, {"p0": 0.7, "p1": 1.9})
    np.testing.assert_allclose(found, 0.7 * 1.9**2, rtol=1e-15)


@pytest.mark.parametrize(
    ("rate", "named"),
    [
        (lambda t, y, p: jnp.abs(y), "'abs'"),
        (lambda t, y, p: jnp.maximum(y, p[0]), "'max'"),
        (lambda t, y, p: jnp.where(t > 0.5, y, p[0]), "'gt'"),
        (lambda t, y, p: jax.lax.stop_gradient(y), "'stop_gradient'"),
        (lambda t, y, p: jax.scipy.special.erf(y), "'erf'"),
        (lambda t, y, p: jax.lax.while_loop(lambda x: x < 1.0, lambda x: x + 1.0, y), "'while'"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(rate, named):
    with pytest.raises(TranslationError, match=f"'made-up': vector_field: .*{named}"):
        texts(one_state(rate))


def test_a_jump_is_refused_by_name_and_a_marker_is_not():
    marker = Event(when=lambda t, y, p: y[0] - 0.5)
    assert texts(one_state(lambda t, y, p: -y, events={"half": marker}))
    jump = Event(when=lambda t, y, p: y[0] - 0.5, jump=lambda t, y, p: 2.0 * y)
    with pytest.raises(TranslationError, match="the event 'half' makes the state jump"):
        texts(one_state(lambda t, y, p: -y, events={"half": jump}))


def test_a_text_that_would_not_end_is_refused():
    def rate(t, y, p):
        for _ in range(40):  # each step uses the last one twice
            y = jnp.sin(y) + y * p[0]
        return y

    with pytest.raises(TranslationError, match=f"more than {LONGEST} characters"):
        texts(one_state(rate))
