"""From what a user writes to a study: all problems at once, each with its file and line."""

import pytest

from gradaudit.errors import SettingError
from gradaudit.pipeline.config.files import read_source
from gradaudit.pipeline.config.reading import read, study_of


def test_what_is_not_written_has_its_default():
    study = study_of({"max_steps": 7})
    assert study.max_steps == 7
    assert study == study_of({}).model_copy(update={"max_steps": 7})


def test_every_problem_is_named_with_file_and_line_in_the_order_of_places(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("models: [logistic]\nverdict:\n  good: -1.0\nmax_steps: 0\n")
    source = read_source(path)
    with pytest.raises(SettingError) as error:
        study_of(source.data, sources=[source])
    head, *lines = str(error.value).splitlines()
    assert head == "invalid configuration:"
    assert [line.split(" is ")[0] for line in lines] == [
        f"  {path}:4: max_steps: 0",
        f"  {path}:3: verdict.good: -1.0",
    ]


def test_a_problem_of_the_command_line_has_no_line():
    with pytest.raises(SettingError) as error:
        study_of({"max_steps": 0})
    assert str(error.value).splitlines()[1].startswith("  max_steps: 0 is too small")


def test_names_are_checked_when_files_are_read_and_not_before():
    config = {"models": ["logistic"], "methods": ["no_method"]}
    assert study_of(config).methods == ["no_method"]
    with pytest.raises(SettingError, match="no_method"):
        read(config, [])


def test_a_key_that_a_file_sets_twice_is_refused_though_yaml_keeps_the_last(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("max_steps: 5\nmax_steps: 6\n")
    with pytest.raises(SettingError, match="max_steps is set twice, here and on line 1"):
        read({"max_steps": 6}, [path])


def test_files_that_do_not_exist_are_passed_over(tmp_path):
    assert read({"max_steps": 6}, [tmp_path / "none.yaml"]).max_steps == 6
