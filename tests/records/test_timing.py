"""Names tell which results are measured times."""

from __future__ import annotations

import pytest

from gradaudit.records.timing import is_time, without_times


@pytest.mark.parametrize("name", ["seconds", "compile_seconds", "seconds_before", "cost"])
def test_a_time_is_known_by_a_word_of_its_name(name):
    assert is_time(name)


@pytest.mark.parametrize("name", ["time", "event_time", "steps", "work", "costly", "t_end"])
def test_other_names_are_no_times_of_a_clock(name):
    assert not is_time(name)


def test_times_are_left_out_of_nested_data():
    data = [{"run_seconds": 1.0, "rungs": [{"digits": 3, "build_seconds": 2.0}]}, "seconds"]
    assert without_times(data) == [{"rungs": [{"digits": 3}]}, "seconds"]
