"""The python file of a model: what is wrong with it, and at which line."""

import sys
from textwrap import dedent

import pytest

from gradaudit import Model, ModelError
from gradaudit.model.source_file import declares_events, import_model

VALID = """
import jax.numpy as jnp
from gradaudit import Model

MODEL = Model(
    name="decay",
    vector_field=lambda t, y, p: -p * y,
    states={"y": (1.0, "1")},
    parameters={"k": (2.0, "1/s")},
    t_end=1.0,
)
"""


@pytest.fixture
def written(tmp_path):
    """Write a file of a model; what it leaves among the modules is removed."""
    before = set(sys.modules)

    def write(text, name="mine.py"):
        path = tmp_path / name
        path.write_text(dedent(text))
        return path

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("gradaudit_model_"):
            del sys.modules[name]


def message(path):
    with pytest.raises(ModelError) as error:
        import_model(path)
    text = str(error.value)
    assert text.startswith(str(path))
    return text.removeprefix(str(path))


def test_a_model_comes_with_the_module_that_defines_it(written):
    module, model = import_model(written(VALID))
    assert isinstance(model, Model)
    assert module.MODEL is model
    assert module.__name__ == "gradaudit_model_mine"


def test_a_file_that_does_not_exist_cannot_be_read(tmp_path):
    assert message(tmp_path / "none.py").startswith(": cannot be read: ")


def test_invalid_python_is_shown_with_its_line(written):
    assert message(written("a = 1\nb = = 2\n")) == (
        ", line 2: not valid Python, invalid syntax: b = = 2"
    )


def test_an_error_of_the_import_has_the_line_of_the_file(written):
    found = message(written("a = 1\n\nb = 1 / 0\n"))
    assert found == (
        ", line 3: importing it failed with ZeroDivisionError: division by zero. "
        "A model's file must import by itself; mend that line."
    )


def test_an_unknown_field_is_named_with_the_one_that_is_meant(written):
    found = message(written(VALID.replace("t_end=1.0,", "t_end=1.0, timeunit='s',")))
    assert ", line 5: Model has an unknown field 'timeunit' (did you mean 'time_unit'?)" in found
    assert "initial_state" in found
    assert "source" not in found
    event = "from gradaudit import Event\nEvent(whenn=lambda t, y, p: t)\n"
    assert "Event has an unknown field 'whenn' (did you mean 'when'?)" in message(written(event))


def test_a_file_that_ends_the_process_is_refused(written):
    assert message(written("raise SystemExit\n")).startswith(
        ", line 1: importing it failed with SystemExit."
    )


def test_an_error_of_the_model_has_the_line_of_its_call(written):
    found = message(written(VALID.replace("t_end=1.0", "t_end=-1.0")))
    assert found.startswith(", line 5: ")
    assert "t_end" in found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a = 1\n", ": defines no MODEL; end the file with MODEL = gradaudit.Model(...)."),
        (
            "model = 1\n",
            ": defines no MODEL (names are case sensitive); end the file with MODEL = "
            "gradaudit.Model(...).",
        ),
        (
            "MODEL = 1\n",
            ": MODEL is of type int, no gradaudit.Model; end the file with MODEL = "
            "gradaudit.Model(...).",
        ),
        (
            "from gradaudit import Model as MODEL\n",
            ": MODEL is the class Model, no gradaudit.Model; end the file with MODEL = "
            "gradaudit.Model(...).",
        ),
        (VALID.replace("MODEL =", "my_model ="), ": defines no MODEL; rename 'my_model' to MODEL."),
    ],
)
def test_a_file_without_a_model_is_told_what_to_write(written, text, found):
    assert message(written(text)) == found


@pytest.mark.parametrize(
    "text",
    [
        VALID.replace('{"k": (2.0, "1/s")}', '{"k": (2.0, "1/s"),\n "k": (3.0, "1/s")}'),
        'NAMES = {"k": (2.0, "1/s"),\n "k": (3.0, "1/s")}\n'
        + VALID.replace('{"k": (2.0, "1/s")}', "NAMES"),
    ],
)
def test_a_name_that_is_there_twice_is_refused_though_python_keeps_the_last(written, text):
    found = message(written(text))
    assert ": parameters has the name 'k' twice (first in line " in found
    assert found.endswith("and Python keeps the last; rename or remove one.")


def test_a_dictionary_that_is_not_the_models_may_have_a_name_twice(written):
    import_model(written('OTHER = {"k": 1, "k": 2}\n' + VALID))


@pytest.mark.parametrize(
    ("name", "text", "events"),
    [
        ("a.py", VALID, False),
        ("b.py", VALID.replace("t_end=1.0,", "t_end=1.0, events={},"), True),
        ("c.py", "# events=\n" + VALID, False),
        ("d.xml", "<sbml/>", False),
        ("e.xml", "<sbml><event/></sbml>", True),
        ("f.sbml", "<sbml><piecewise/></sbml>", True),
    ],
)
def test_events_are_declared_where_the_source_has_them(written, name, text, events):
    assert declares_events(written(text, name)) is events
