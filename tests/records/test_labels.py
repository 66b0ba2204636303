"""Functionals in words keep the names of the states, whatever these look like."""

import pytest

from gradaudit.records.labels import functional_name


@pytest.mark.parametrize(
    ("functional", "kind", "name"),
    [
        ("terminal_PfrX_", "terminal", "PfrX_ at the end"),
        ("maximum_PfrX_", "maximum", "maximum of PfrX_"),
        ("time_average_u_1", "time_average", "time average of u_1"),
        ("event_value_PfrX__stop_1", "event_value", "event value PfrX_ stop 1"),
        ("phase_aligned", "phase_aligned", "sum of squares without the shift"),
        ("my_functional_of_A_", "unknown", "my functional of A_"),
    ],
)
def test_the_name_of_a_state_stays_whole(functional, kind, name):
    assert functional_name(functional, kind) == name
