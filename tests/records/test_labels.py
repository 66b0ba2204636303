"""Functionals in words keep the names of the states, whatever these look like."""

import pytest

from gradaudit.records.labels import functional_name


@pytest.mark.parametrize(
    ("functional", "kind", "name"),
    [
        ("terminal_PfrX_", "terminal", "PfrX_ at the end"),
        ("maximum_PfrX_", "maximum", "maximum of PfrX_"),
        ("time_average_u_1", "time_average", "time average of u_1"),
        ("event_value_PfrX__stop_1", "event_value", "value at event 1 (PfrX__stop)"),
        ("event_time_spike_3", "event_time", "time of event 3 (spike)"),
        ("event_interval_spike", "event_interval", "interval between events (spike)"),
        ("event_phase_spike", "event_phase", "phase (spike)"),
        ("event_count_big_spike", "event_count", "number of events (big_spike)"),
        ("phase_aligned", "phase_aligned", "sum of squares without the shift"),
        ("my_functional_of_A_", "unknown", "my functional of A_"),
    ],
)
def test_the_name_of_a_state_stays_whole(functional, kind, name):
    assert functional_name(functional, kind) == name
