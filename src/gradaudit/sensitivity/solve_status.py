"""What a compiled solve returns, and the word for what happened in it."""

from __future__ import annotations

from typing import Any, NamedTuple

import diffrax
import numpy as np

# results that diffrax does not have
TOO_MANY_EVENTS, UNDECLARED_SWITCH, LOST_EVENT, SIMULTANEOUS_EVENTS = -1, -2, -3, -4
GRAZING = -5

TIME_LIMIT = "time_limit"
"""The status of a solve that took longer than the configuration allows."""


class Raw(NamedTuple):
    """One solve: states (T, N), tangents (T, N, c) of p_j d/dp_j, what it took, its events.

    `estimates` are those of the errors of states (T, N) and tangents (T, N, c), if asked for, and
    `perturbed` the events of the perturbed solve; `crossed` is what was seen of discontinuities, if
    anything was looked at; `faint` is what was seen of states below their
    absolute tolerance; `one_sided` (c,) marks the parameters whose derivatives exist from one
    side only, as an event is at an observation.
    """

    states: Any
    tangents: Any
    indicator: Any
    steps: Any
    accepted: Any
    rejected: Any
    result: Any
    event_records: Any = ()
    estimates: Any = ()
    perturbed: Any = ()
    crossed: Any = ()
    one_sided: Any = ()
    faint: Any = ()


_WORDS = (
    (diffrax.RESULTS.successful, "ok"),
    (diffrax.RESULTS.max_steps_reached, "max_steps"),
    (diffrax.RESULTS.dt_min_reached, "step_underflow"),
    # Of a step that could not be rejected: one of equal steps.
    (diffrax.RESULTS.nonlinear_divergence, "root_not_found"),
    (diffrax.RESULTS.nonlinear_max_steps_reached, "root_not_found"),
)


def word_for(result: int, finite: bool) -> str:
    """A word for what happened, from diffrax's result code and whether the arrays are finite."""
    known = {int(member._value): word for member, word in _WORDS}
    known |= {
        TOO_MANY_EVENTS: "max_events",
        UNDECLARED_SWITCH: "undeclared_switch",
        LOST_EVENT: "lost_event",
        GRAZING: "grazing",
        SIMULTANEOUS_EVENTS: "simultaneous_events",
    }
    word = known.get(result, "failed")
    return "non_finite" if word == "ok" and not finite else word


def status_of(raw: Raw) -> str:
    """`word_for` a solve with tangents."""
    finite = np.all(np.isfinite(raw.states)) and np.all(np.isfinite(raw.tangents))
    return word_for(int(raw.result), bool(finite))
