"""A model of a file at values of one's own."""

from __future__ import annotations

import pytest

from gradaudit.errors import ModelError
from gradaudit.model.loading import load_model

MODEL = """
import jax.numpy as jnp
from gradaudit import Model

MODEL = Model(
    name="oscillator",
    vector_field=lambda t, y, p: jnp.stack([y[1], -p[0] * y[0]]),
    states={"x": (1.0, ""), "v": (0.0, "")},
    parameters={"k": (2.0, "")},
    t_end=1.0,
    axes={"k": (1.0, 4.0)},
)
"""
AT = """

def at(k):
    from dataclasses import replace

    return replace(MODEL, parameters={"k": (k * k, "")})
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "oscillator.py"
    path.write_text(MODEL)
    return path


def test_parameters_states_and_the_window_are_set_by_name(file):
    model = load_model(f"{file}@k=3,x=0.5,t_end=7")
    assert model.parameters["k"] == (3.0, "")
    assert model.states["x"] == (0.5, "")
    assert model.t_end == 7.0
    assert model.name == "oscillator@k=3,x=0.5,t_end=7"


def test_beside_a_function_of_the_axes(file):
    file.write_text(MODEL + AT)
    model = load_model(f"{file}@k=3,v=0.5")
    assert model.parameters["k"] == (9.0, "")
    assert model.states["v"] == (0.5, "")
    assert load_model(f"{file}@v=0.5").parameters["k"] == (2.0, "")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("kk=3", r"no axis, parameter or state 'kk' \(did you mean 'k'\?\)"),
        ("k=3,k=4", "'k' is set twice"),
        ("k=", "'k=' sets no value; write oscillator@k=1"),
    ],
)
def test_what_cannot_be_set_is_refused(file, setting, said):
    with pytest.raises(ModelError, match=said):
        load_model(f"{file}@{setting}")


def test_an_initial_value_that_a_function_replaces_cannot_be_set(file):
    """It would change nothing, and nothing would tell."""
    changed = MODEL.replace(
        "t_end=1.0", "t_end=1.0, initial_state=lambda p: jnp.stack([p[0], 0.0])"
    )
    file.write_text(changed)
    with pytest.raises(ModelError, match="comes from its function initial_state"):
        load_model(f"{file}@x=3")
