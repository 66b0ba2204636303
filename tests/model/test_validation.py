"""Bad input: a message that says what was wrong, where, and what to do."""

from __future__ import annotations

import time
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import gradaudit
from gradaudit import Event, Model, ModelError
from gradaudit.errors import ModelWarning
from gradaudit.model.rounded_numbers import from_float32
from gradaudit.model.validation import check

CALLS: list[int] = []
GENERATOR = np.random.default_rng(1)
TABLE32 = np.array([0.1, 0.2], dtype=np.float32)


class Counter:
    calls = 0


COUNTER = Counter()


def decay(t, y, p):
    return -p[0] * y


def model(field=decay, **changes) -> Model:
    fields = {
        "name": "decay",
        "vector_field": field,
        "states": {"y": (1.0, "mM"), "z": (2.0, "mM")},
        "parameters": {"k": (2.0, "1/s")},
        "t_end": 3.0,
    }
    return Model(**{**fields, **changes})


def prints(t, y, p):
    jax.debug.print("{}", y)
    return -p[0] * y


def calls_back(t, y, p):
    return -p[0] * jax.pure_callback(lambda x: x, jax.ShapeDtypeStruct(y.shape, y.dtype), y)


def appends(t, y, p):
    CALLS.append(1)
    return -p[0] * y


def counts(t, y, p):
    COUNTER.calls = COUNTER.calls + 1
    return -p[0] * y


def helper(y):
    CALLS.append(1)
    return y


def appends_in_a_helper(t, y, p):
    return -p[0] * helper(y)


def draws(t, y, p):
    return -p[0] * y + GENERATOR.normal()


def reads_a_clock(t, y, p):
    return -p[0] * y * time.perf_counter()


def branches(t, y, p):
    if y[0] > 0.5:
        return -p[0] * y
    return p[0] * y


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (lambda t, y, p: jnp.zeros(3), r"returns shape \(3,\); it must return one array of shape"),
        (lambda t, y, p: p[0], r"returns shape \(\)"),
        (lambda t, y, p: [-p[0] * y[0], y[1]], r"returns a list.*jnp\.stack"),
        (lambda t, y, p: None, "returns a NoneType"),
        (lambda t, y: -y, "TypeError"),
        # JAX takes the last entry there is
        (lambda t, y, p: -p[1] * y, "reads an entry that does not exist.*index 1"),
        (lambda t, y, p: -p[0] * jnp.stack([y[0], y[2]]), "reads an entry.*index 2"),
    ],
    ids=["too long", "a number", "a list", "nothing", "two arguments", "parameter", "state"],
)
def test_wrong_shapes_of_the_vector_field(field, words):
    with pytest.raises(ModelError, match=f"model 'decay': vector_field.*{words}"):
        gradaudit.load_model(model(field))


@pytest.mark.parametrize(
    ("initial_state", "words"),
    [
        (lambda p: p, r"returns shape \(1,\); it must return one array of shape \(2,\)"),
        (lambda p: (p[0], p[0]), "returns a tuple"),
        (lambda p: jnp.log(-p[0]) * jnp.ones(2), "initial value of 'y', 'z' is not finite"),
        (lambda p: jnp.ones(2) if p[0] > 0 else jnp.zeros(2), "branches in python"),
    ],
    ids=["too short", "a tuple", "not finite", "a branch"],
)
def test_wrong_initial_states(initial_state, words):
    with pytest.raises(ModelError, match=words):
        gradaudit.load_model(model(initial_state=initial_state))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"integrands": {"g": lambda t, y, p: y}}, r"integrands\['g'\] returns shape \(2,\)"),
        ({"events": {"e": Event(when=lambda t, y, p: y)}}, r"events\['e'\].when returns shape"),
        ({"events": {"e": Event(when=lambda t, y, p: t > 0.5)}}, "returns a truth value"),
        (
            {"events": {"e": Event(when=lambda t, y, p: y[0], jump=lambda t, y, p: y[:1])}},
            r"events\['e'\].jump returns shape \(1,\)",
        ),
        ({"exact_solution": lambda t, p: jnp.zeros(1)}, r"exact_solution returns shape \(1,\)"),
        ({"observables": ("y", "y")}, "names 'y' twice|names \\['y'\\] twice"),
    ],
    ids=["integrand", "event", "comparison", "jump", "exact solution", "observables"],
)
def test_everything_else_that_a_model_declares_is_checked_too(changes, words):
    with pytest.raises(ModelError, match=words):
        gradaudit.load_model(model(**changes))


def test_what_is_not_finite_at_the_start_is_named():
    with pytest.raises(ModelError, match=r"derivative of 'z' is not finite at t = 0 and y = \[1.0"):
        gradaudit.load_model(model(lambda t, y, p: p[0] / jnp.stack([y[0], y[1] - 2.0])))


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (prints, "side effect.*remove prints"),
        (calls_back, "side effect.*pure_callback"),
        (appends, "changes 'CALLS' when it is called"),
        (counts, "changes 'COUNTER' when it is called"),
        (appends_in_a_helper, "changes 'CALLS' when it is called"),
        (draws, "another function each time.*random numbers"),
        (reads_a_clock, "another function each time.*a clock"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_vector_field_that_is_not_pure_is_refused(field, words):
    with pytest.raises(ModelError, match=f"vector_field .*{words}"):
        gradaudit.load_model(model(field))


def test_a_side_effect_through_a_closure_is_seen():
    seen = []

    def field(t, y, p):
        seen.append(len(seen))
        return -p[0] * y

    with pytest.raises(ModelError, match="changes 'seen'"):
        gradaudit.load_model(model(field))


def test_a_table_that_is_filled_once_is_no_side_effect():
    cache: dict[str, np.ndarray] = {}

    def field(t, y, p):
        if "weights" not in cache:
            cache["weights"] = np.ones(2)
        return -p[0] * y * cache["weights"]

    loaded = gradaudit.load_model(model(field))
    assert list(cache) == ["weights"]
    assert loaded.vector_field is field


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (branches, "branches in python.*jnp.where"),
        (lambda t, y, p: -p[0] * y * max(y[0], 0.0), "branches in python"),
        (lambda t, y, p: -p[0] * np.sin(y), "applies a numpy function.*jax.numpy"),
        (lambda t, y, p: -p[0] * y * float(y[0]), "makes a python number"),
        (lambda t, y, p: -p[0] * jnp.stack([y[0], [1.0, 2.0][y[0].astype(int)]]), "index"),
        (lambda t, y, p: -p["k"] * y, "string indexing.*in the order of states"),
    ],
    ids=["if", "max", "numpy", "float", "index", "name"],
)
def test_python_on_traced_values_is_explained(field, words):
    with pytest.raises(ModelError, match=words):
        gradaudit.load_model(model(field))


def test_the_line_is_named():
    line = branches.__code__.co_firstlineno + 1
    with pytest.raises(ModelError, match=f"vector_field, line {line}, branches"):
        gradaudit.load_model(model(branches))


@pytest.mark.parametrize(
    "field",
    [
        lambda t, y, p: -p[0] * y * TABLE32,
        lambda t, y, p: -p[0] * y * np.float32(0.1),
        lambda t, y, p: -p[0] * y * jnp.asarray(0.1, dtype=jnp.float32),
        lambda t, y, p: -p[0] * y.astype(jnp.float32).astype(jnp.float64),
        lambda t, y, p: (-p[0] * y).astype(jnp.float16),
        lambda t, y, p: -p[0] * y * TABLE32.astype(np.float64),
    ],
    ids=["array", "numpy scalar", "jax scalar", "cast inside", "cast of the result", "cast back"],
)
def test_float32_is_found_even_where_the_result_is_float64(field):
    with pytest.raises(ModelError, match=r"float32|float16"):
        gradaudit.load_model(model(field))


def test_float32_values_are_found_among_the_parameters():
    with pytest.raises(ModelError, match=r"parameters\['k'\].*float32; write 0\.1"):
        gradaudit.load_model(model(parameters={"k": (np.float32(0.1), "1/s")}))
    with pytest.raises(ModelError, match=r"t_end is .*float32; write 0\.1"):
        gradaudit.load_model(model(t_end=float(np.float32(0.1))))


def test_times_that_were_rounded_to_float32_are_told():
    loaded = gradaudit.load_model(model())
    with pytest.warns(ModelWarning, match="times .* for 0.1. The sensitivities are"):
        loaded.times(np.array([0.1, 0.2], dtype=np.float32))
    loaded.times(np.array([0.25, 0.5], dtype=np.float32))  # a warning would be an error here


@pytest.mark.parametrize("value", [1.5, 1e6, 2.0**-40, 12345678.0, 1.0 / 3.0, 0.1, 1e-30, -0.75])
def test_numbers_of_full_precision_are_not_taken_for_float32(value):
    loaded = gradaudit.load_model(
        model(lambda t, y, p: -p[0] * y * value, parameters={"k": (value, "1")})
    )
    assert loaded.nominal[0] == value


def idle(t, y, p):
    return -p[0] * y


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["b"]),
        ({"initial_state": lambda p: p[1] * jnp.ones(2)}, []),
        ({"integrands": {"g": lambda t, y, p: p[1] * y[0]}}, []),
        ({"events": {"e": Event(when=lambda t, y, p: y[0] - p[1])}}, []),
        ({"vector_field": lambda t, y, p: -p[0] * jnp.where(t > 1.0, p[1], y)}, []),
        ({"vector_field": lambda t, y, p: jnp.stack([p[0] * y[0], jnp.dot(p, p)])}, []),
        ({"vector_field": lambda t, y, p: -p[:1] * y}, ["b"]),
        ({"vector_field": lambda t, y, p: -jnp.concatenate([p[1:], p[1:]]) * y}, ["a"]),
        ({"vector_field": lambda t, y, p: -(p[:, None] * jnp.ones((2, 2)))[0] * y}, ["b"]),
    ],
)
def test_parameters_without_any_effect_are_warned_of(changes, expected):
    fields = {"vector_field": idle, "parameters": {"a": (1.0, "1"), "b": (1.0, "1")}, **changes}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        gradaudit.load_model(model(**fields))
    told = [str(w.message) for w in caught if issubclass(w.category, ModelWarning)]
    assert len(told) == len(expected)
    for text, name in zip(told, expected, strict=True):
        assert f"nothing depends on the parameter '{name}'" in text


@pytest.mark.slow
def test_an_idle_parameter_has_the_sensitivity_zero():
    held = model(idle, parameters={"a": (1.0, "1"), "b": (1.0, "1")})
    with pytest.warns(ModelWarning, match="'b'"):
        result = gradaudit.sensitivities(held, times=[1.0, 3.0], rtol=1e-3)
    assert result.status == "ok"
    np.testing.assert_array_equal(result.sensitivities[..., 1], 0.0)


def test_a_model_is_checked_once():
    calls = []

    class Field:
        def __call__(self, t, y, p):
            calls.append(1)
            return -p[0] * y

    held = model(Field())
    gradaudit.load_model(held)
    before = len(calls)
    gradaudit.load_model(held)
    assert len(calls) == before


FILES = {
    "syntax": ("x = 1\ndef f(t, y, p:\n    return y\n", r"line 2: not valid Python"),
    "import": ("x = 1\n\nimport no_such_package\n", r"line 3: importing it failed with Module"),
    "raises": ("x = {}\ny = x['a']\n", r"line 2: importing it failed with KeyError: 'a'"),
    "exits": ("import sys\nsys.exit(3)\n", r"line 2: importing it failed with SystemExit: 3"),
    "none": ("x = 1\n", "defines no MODEL; end the file with MODEL"),
    "small": ("model = 3\n", "defines no MODEL .names are case sensitive"),
    "other name": (
        "from gradaudit import Model\nm = Model(name='m', vector_field=abs, "
        "states={'y': (1.0, '')}, parameters={'k': (1.0, '')}, t_end=1.0)\n",
        "defines no MODEL; rename 'm' to MODEL",
    ),
    "a dict": ("MODEL = {'name': 'x'}\n", "MODEL is of type dict, no gradaudit.Model"),
    "the class": ("from gradaudit import Model as MODEL\n", "MODEL is the class Model"),
    "declaration": (
        "from gradaudit import Model\n\nMODEL = Model(name='m', vector_field=abs, states={}, "
        "parameters={'k': (1.0, '')}, t_end=1.0)\n",
        "line 3: model 'm': states must be",
    ),
    "states twice": (
        "from gradaudit import Model\nMODEL = Model(\n    name='m',\n    vector_field=abs,\n"
        "    states={\n        'y': (1.0, ''),\n        'y': (2.0, ''),\n    },\n"
        "    parameters={'k': (1.0, '')},\n    t_end=1.0,\n)\n",
        r"line 7: states has the name 'y' twice \(first in line 6\)",
    ),
    "parameters twice": (
        "from gradaudit import Model\nP = {'k': (1.0, ''), 'k': (2.0, '')}\nMODEL = Model(name='m',"
        " vector_field=abs, states={'y': (1.0, '')}, parameters=P, t_end=1.0)\n",
        "line 2: parameters has the name 'k' twice",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_models(name, tmp_path):
    text, words = FILES[name]
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ModelError, match=words) as raised:
        gradaudit.load_model(path)
    assert str(path) in str(raised.value)


def test_a_model_of_a_file_is_named_with_its_file_and_line(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import numpy as np\nfrom gradaudit import Model\n\ndef f(t, y, p):\n"
        "    return -p[0] * np.exp(y)\n\nMODEL = Model(name='m', vector_field=f, "
        "states={'y': (1.0, '')}, parameters={'k': (1.0, '')}, t_end=1.0)\n"
    )
    with pytest.raises(
        ModelError, match=r"mine\.py: model 'm': vector_field, line 5, applies a nu"
    ):
        gradaudit.load_model(path)


def root(t, y, p):
    """Not a number after t = 1."""
    return -p[0] * y * jnp.sqrt(1.0 - t)


def test_a_solve_that_meets_a_nan_has_a_status_and_no_numbers():
    result = gradaudit.sensitivities(model(root), times=[0.5, 2.0], rtol=1e-3, max_steps=2000)
    assert result.status in ("non_finite", "step_underflow")
    assert np.all(np.isnan(result.sensitivities))
    assert np.all(np.isnan(result.states))


def test_a_reference_that_meets_a_nan_says_where():
    result = gradaudit.reference(model(root), times=[0.5, 2.0], time_limit=60.0)
    assert result.status.startswith("uncertified: non_finite after t = ")


@pytest.mark.parametrize("value", [0.1, 1.0 / 3.0, 2.0e-7, 123.456])
def test_a_number_is_taken_for_float32_where_it_was_rounded_to_it(value):
    rounded = float(np.float32(value))
    np.testing.assert_array_equal(from_float32([value, rounded, 1.0]), [rounded])


@pytest.mark.parametrize(
    "values", [[1.5, 1e6, 2.0**-40, 0.0], [np.inf, np.nan], [1e300], np.array([7]), []]
)
def test_short_binary_numbers_and_whole_ones_are_not_taken_for_float32(values):
    assert from_float32(values).size == 0


def test_a_check_of_an_invalid_model_is_made_again():
    model = Model(
        name="wrong",
        vector_field=lambda t, y, p: p[0] * y[:, None],
        states={"y": (1.0, "1")},
        parameters={"k": (1.0, "1")},
        t_end=1.0,
    )
    for _ in range(2):
        with pytest.raises(ModelError, match=r"returns shape \(1, 1\)"):
            check(model)
