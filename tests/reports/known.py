"""Outcomes that are silently wrong at present: a fault that is mended leaves this list."""

from __future__ import annotations

LIKE_THE_START = "a switch 1e-9 of the window behind its start is taken to be at the start"
LIKE_THE_END = "an event within rounding of an observation is taken to be at it, digits and all"
MISSED = "switches by searchsorted, argmax, sort, sqrt(x * x) and arctan2 are not watched"
ELSEWHERE = "with an event declared, a switch that it does not cover is not watched"
STANDING = "a checked Jacobian does not see a state that stays on a threshold"
PULSE = "a pulse or a steep switch between two steps is jumped over (docs: set dtmax)"

KNOWN: dict[tuple[str, str], str] = {
    ("dose_close_to_the_end", "reference"): LIKE_THE_END,
    ("observed_one_rounding_after_a_dose", "reference"): LIKE_THE_END,
    ("infusion_begins_at_1e_9", "reference"): LIKE_THE_START,
    ("one_of_two_switches_undeclared", "saltation"): ELSEWHERE,
    ("declared_at_another_place", "saltation"): ELSEWHERE,
    ("declared_in_one_direction_only", "saltation"): ELSEWHERE,
    ("searchsorted_undeclared", "checked"): MISSED,
    ("argmax_undeclared", "checked"): MISSED,
    ("sort_undeclared", "checked"): MISSED,
    ("square_root_of_a_square", "checked"): MISSED,
    ("arctan2_of_zero", "checked"): MISSED,
    ("a_step_table", "checked"): MISSED,
    ("relu_that_stays_at_0", "checked"): STANDING,
    ("jax_nn_relu_that_stays_at_0", "checked"): STANDING,
    ("a_threshold_of_a_constant_state", "checked"): STANDING,
    ("steep_sigmoid", "reference"): "solves that share a jumped-over switch agree on 7 digits",
    ("a_short_pulse_in_a_long_window", "checked"): PULSE,
    ("grazing_from_below", "reference"): "an exact touch is not seen, or is seen as none",
    ("grazing_from_below", "saltation"): "an exact touch is not seen, or is seen as none",
    ("two_zeros_very_close_together", "reference"): "two zeros 1e-13 apart are not resolved",
    ("sliding_on_a_threshold", "saltation"): "a solve that slides is not noticed",
    ("jump_to_a_parameter_on_a_threshold", "reference"): "a jump leads onto a threshold",
    ("jump_to_a_parameter_on_a_threshold", "saltation"): "a jump leads onto a threshold",
    ("repelled_from_a_threshold_at_the_start", "reference"): "the threshold repels on both sides",
    ("repelled_from_a_threshold_at_the_start", "saltation"): "the threshold repels on both sides",
}
