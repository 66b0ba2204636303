"""The whole configuration as plain data, and back."""

from gradaudit.pipeline.config.reading import study_of
from gradaudit.pipeline.config.study import SOLVES, Study
from gradaudit.pipeline.flow import stages


def test_plain_data_give_the_same_study_back():
    study = study_of({"solvers": {"tsit5": {"steps": 7}, "dopri8": None}, "verdict": {"good": 0.1}})
    assert study_of(study.plain()) == study


def test_an_entry_of_solvers_has_the_keys_that_it_sets_and_no_others():
    study = study_of({"solvers": {"tsit5": {"steps": 7}, "dopri8": {}}})
    assert study.plain()["solvers"] == {"tsit5": {"steps": 7}, "dopri8": {}}


def test_sections_are_plain_as_well():
    plain = Study().plain()
    assert plain["atlas"] == {"accuracies": [1e-2, 1e-4, 1e-6]}
    assert all(not hasattr(value, "model_dump") for value in plain.values())


def test_stages_that_solve_are_stages():
    assert set(SOLVES) < set(stages())
