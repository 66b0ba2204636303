"""Configuration files as text: the line of every key, and what is refused before any type."""

from pathlib import Path

import pytest

from gradaudit.errors import SettingError
from gradaudit.pipeline.config.files import Source, dotted, invalid, line_of, read_source

TEXT = """\
models: [a, b]
tolerances:
  loosest: 1.0e-3
solvers:
  tsit5: {}
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(TEXT)
    return read_source(path)


def test_every_key_and_entry_has_its_line(source):
    assert source.lines == {
        ("models",): 1,
        ("models", 0): 1,
        ("models", 1): 1,
        ("tolerances",): 2,
        ("tolerances", "loosest"): 3,
        ("solvers",): 4,
        ("solvers", "tsit5"): 5,
    }
    assert source.data["tolerances"] == {"loosest": 1e-3}


def test_an_empty_file_says_nothing(tmp_path):
    path = tmp_path / "empty.yaml"
    path.write_text("# nothing\n")
    assert read_source(path) == Source(path, None, {})


def test_broken_yaml_is_refused_with_its_line(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("models: [a\nsolvers: {}\n")
    with pytest.raises(SettingError) as error:
        read_source(path)
    assert str(error.value).startswith(f"{path}:2: invalid YAML: ")


def test_keys_that_are_set_twice_are_refused_with_both_lines(tmp_path):
    path = tmp_path / "twice.yaml"
    path.write_text("verdict:\n  good: 1.0e-2\n  good: 1.0e-3\nseed: 1\nseed: 2\n")
    with pytest.raises(SettingError) as error:
        read_source(path)
    assert str(error.value).splitlines() == [
        "invalid configuration:",
        f"  {path}:3: verdict.good is set twice, here and on line 2; keep one of them.",
        f"  {path}:5: seed is set twice, here and on line 4; keep one of them.",
    ]


def test_the_line_is_that_of_the_last_file_that_says_the_value():
    first = Source(Path("a"), {"dpi": 100}, {("dpi",): 3})
    second = Source(Path("b"), {"dpi": 100}, {("dpi",): 7})
    assert line_of([first, second], ("dpi",), 100) == "b:7: "
    assert line_of([second, first], ("dpi",), 100) == "a:3: "


@pytest.mark.parametrize(
    ("place", "value"), [(("dpi",), 200), (("figures", "dpi"), 100), (("dpi", 0), 100)]
)
def test_a_value_that_no_file_says_has_no_line(place, value):
    """It comes from the command line."""
    source = Source(Path("a"), {"dpi": 100}, {("dpi",): 3, ("dpi", 0): 3})
    assert line_of([source], place, value) == ""


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (("experiment", "tolerances", 2), "experiment.tolerances[2]"),
        (("models", 0, "name"), "models[0].name"),
        ((), "top level"),
    ],
)
def test_places_are_written_as_in_a_program(place, text):
    assert dotted(place) == text


def test_every_problem_is_a_line():
    assert str(invalid(["one", "two"])) == "invalid configuration:\n  one\n  two"
