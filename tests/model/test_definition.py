"""A model says what is wrong with it, where, and what to do."""

import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Model, ModelError, SettingError

GOOD = {
    "name": "decay",
    "vector_field": lambda t, y, p: -p[0] * y,
    "states": {"y": (1.0, "mM")},
    "parameters": {"k": (2.0, "1/s")},
    "t_end": 3.0,
}


def test_minimal_model_has_defaults():
    model = Model(**GOOD)
    assert (model.n, model.m) == (1, 1)
    assert model.observables == ("y",)
    np.testing.assert_array_equal(model.times(), np.linspace(0.0, 3.0, 101))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "1 2"}, "letters, digits"),
        ({"states": {}}, "non-empty dict"),
        ({"states": {"y": 1.0}}, r"write \(value, 'unit'\)"),
        ({"parameters": {"k": (float("nan"), "1/s")}}, "not a finite number"),
        ({"parameters": {"y": (1.0, "1/s")}}, "both a state and a parameter"),
        ({"t_end": -1.0}, "positive"),
        ({"observables": ("z",)}, "are no states"),
        ({"observations": 1}, "at least 2"),
        ({"regime": "fine"}, "'good', 'bad', 'horrible'"),
    ],
)
def test_declaration_is_checked(change, words):
    with pytest.raises(ModelError, match=words):
        Model(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (lambda t, y, p: jnp.zeros(2), r"returns shape \(2,\)"),
        (lambda t, y, p: y if y[0] > 0 else -y, "branches in python"),
        (lambda t, y, p: (-p[0] * y).astype(jnp.float32), "float32"),
        (lambda t, y, p: jnp.log(y - 1.0) * p[0], "not finite at t = 0"),
        (lambda t, y, p: y + nothing, "NameError"),  # noqa: F821
    ],
)
def test_vector_field_is_checked(field, words):
    with pytest.raises(ModelError, match=words):
        gradaudit.load_model(Model(**{**GOOD, "vector_field": field}))


@pytest.mark.parametrize("times", [[], [1.0, 0.5], [-1.0], [4.0], [np.nan]])
def test_observation_times_are_checked(times):
    with pytest.raises(SettingError, match="times must"):
        Model(**GOOD).times(times)


def test_unknown_model_lists_the_library():
    with pytest.raises(ModelError, match="liu_neuron, logistic"):
        gradaudit.load_model("no_such_model")


def test_file_without_model_says_so(tmp_path):
    path = tmp_path / "empty.py"
    path.write_text("x = 1\n")
    with pytest.raises(ModelError, match="defines no MODEL"):
        gradaudit.load_model(path)


def test_file_that_does_not_import_says_why(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("import no_such_package\n")
    with pytest.raises(ModelError, match="ModuleNotFoundError"):
        gradaudit.load_model(path)


def test_model_is_loaded_once_for_one_state_of_its_file():
    assert gradaudit.load_model("logistic") is gradaudit.load_model("logistic")
