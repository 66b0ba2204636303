"""Jumps that never happen."""

from __future__ import annotations

import warnings

from gradaudit.errors import ModelWarning, first_few
from gradaudit.model.definition import Model
from gradaudit.model.start_events import start_events


def tell_idle_jumps(model: Model, happened: set[str]) -> None:
    """Warn of jumps that never happen, such as a dose in the wrong direction or unit of time."""
    first = {name for name, _ in start_events(model)}
    jumps = {name for name, event in model.events.items() if event.jump is not None}
    idle = sorted(jumps - happened - first)
    if idle:
        many = len(idle) > 1
        warnings.warn(
            f"model {model.name!r}: the event{'s' * many} {first_few(idle)} "
            f"{'do' if many else 'does'} not happen between 0 and t_end = {model.t_end:g}. If "
            f"{'they' if many else 'it'} should, look at `when` and `direction`.",
            ModelWarning,
            stacklevel=3,
        )
