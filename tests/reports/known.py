"""Outcomes that are silently wrong at present: a fault that is mended leaves this list."""

from __future__ import annotations

PULSE = "a pulse or a steep switch between two steps is jumped over (docs: set dtmax)"

ALONG = "an angle that moves along its cut, y = 0, jumps where x changes its sign"

KNOWN: dict[tuple[str, str], str] = {
    ("arctan2_of_zero", "checked"): ALONG,
    ("a_short_pulse_in_a_long_window", "checked"): PULSE,
}
