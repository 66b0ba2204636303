"""Words of the table of remedies."""

import pytest

from gradaudit.report.remedy_table import _functional


@pytest.mark.parametrize(
    ("functional", "words"),
    [
        ("event_time_stop_1", "time of event 1 (stop)"),
        ("event_value_V_spike_3", "value at event 3 (V_spike)"),
        ("terminal_x", "x at the end"),
        ("something_else", "something else"),
    ],
)
def test_another_functional_is_named_as_in_the_tables(functional, words):
    assert _functional(functional) == words
