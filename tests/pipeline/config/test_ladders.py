"""Tolerance series: exact numbers, however they are reached."""

import pytest

from gradaudit.errors import SettingError
from gradaudit.pipeline.config.ladders import ladder, ladder_of
from gradaudit.pipeline.config.reading import study_of


def test_one_tolerance_per_decade():
    assert ladder(loosest=1e-3, tightest=1e-6, per_decade=1) == [1e-3, 1e-4, 1e-5, 1e-6]


def test_several_per_decade_end_at_the_tightest():
    assert ladder(loosest=1e-2, tightest=1e-3, per_decade=2) == [1e-2, 3.16228e-3, 1e-3]


def test_a_tightest_between_two_steps_is_not_passed():
    assert ladder(loosest=1e-3, tightest=5e-5, per_decade=1) == [1e-3, 1e-4]


def test_one_tolerance_alone():
    assert ladder(loosest=2e-4, tightest=2e-4, per_decade=3) == [2e-4]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"loosest": 1e-6, "tightest": 1e-3, "per_decade": 1},
            "tolerances: tightest (0.001) is above loosest (1e-06); swap them.",
        ),
        (
            {"loosest": 1.0, "tightest": 1e-3, "per_decade": 1},
            "tolerances: loosest (1) and tightest (0.001) must lie between 0 and 1, "
            "and per_decade (1) must be at least 1.",
        ),
        (
            {"loosest": 1e-1, "tightest": 1e-3, "per_decade": 0, "where": "here"},
            "here: loosest (0.1) and tightest (0.001) must lie between 0 and 1, "
            "and per_decade (0) must be at least 1.",
        ),
    ],
)
def test_what_is_no_series_is_refused(settings, message):
    with pytest.raises(SettingError) as error:
        ladder(**settings)
    assert str(error.value) == message


def test_an_entry_replaces_the_tolerances_that_it_names():
    study = study_of(
        {
            "solvers": {"tsit5": {"tolerances": {"tightest": 1.0e-5}}, "dopri8": {}},
            "tolerances": {"loosest": 1.0e-3, "tightest": 1.0e-4, "per_decade": 1},
        }
    )
    assert ladder_of(study, "tsit5") == [1e-3, 1e-4, 1e-5]
    assert ladder_of(study, "dopri8") == [1e-3, 1e-4]
    assert ladder_of(study, "not an entry") == [1e-3, 1e-4]


def test_the_message_names_the_entry():
    study = study_of(
        {
            "solvers": {"tsit5": {"tolerances": {"tightest": 1.0e-2}}},
            "tolerances": {"loosest": 1.0e-3, "tightest": 1.0e-4, "per_decade": 1},
        }
    )
    with pytest.raises(SettingError, match=r"^solvers\.tsit5\.tolerances: tightest \(0\.01\)"):
        ladder_of(study, "tsit5")
