"""Outcomes that are silently wrong at present: a fault that is mended leaves this list."""

from __future__ import annotations

MISSED = "switches by sqrt(x * x) and arctan2 are not watched"
PULSE = "a pulse or a steep switch between two steps is jumped over (docs: set dtmax)"

KNOWN: dict[tuple[str, str], str] = {
    ("square_root_of_a_square", "checked"): MISSED,
    ("arctan2_of_zero", "checked"): MISSED,
    ("a_short_pulse_in_a_long_window", "checked"): PULSE,
}
