"""Functionals of a solution.

To add one, add a module with ``functionals(context)`` and a line to `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gradaudit.evaluation.functionals import (
    events,
    log_likelihood,
    maximum,
    phase_aligned,
    soft_count,
    solver_target,
    spectrum,
    terminal,
    time_average,
    trace_sse,
)
from gradaudit.evaluation.functionals.base import (
    AnyFunctional,
    Context,
    EventFunctional,
    Functional,
)
from gradaudit.evaluation.functionals.occurrences import Occurrences

__all__ = [
    "KINDS",
    "AnyFunctional",
    "Context",
    "EventFunctional",
    "Functional",
    "Occurrences",
    "all_functionals",
    "solver_target",
]


def all_functionals(context: Context) -> list[AnyFunctional]:
    """Every functional that makes sense for the model of `context`, of the kinds in its settings.

    Those of the kind "solver_target" are missing: they need the trace of a solver, see there.
    """
    kinds = context.settings.get("kinds", list(KINDS))
    return [functional for kind in KINDS if kind in kinds for functional in KINDS[kind](context)]


KINDS: dict[str, Callable[[Context], Sequence[AnyFunctional]]] = {
    "terminal": terminal.functionals,
    "trace_sse": trace_sse.functionals,
    "solver_target": solver_target.functionals,
    "log_likelihood": log_likelihood.functionals,
    "time_average": time_average.functionals,
    "maximum": maximum.functionals,
    "spectrum": spectrum.functionals,
    "soft_count": soft_count.functionals,
    "phase_aligned": phase_aligned.functionals,
    "event_time": events.times,
    "event_value": events.values,
    "event_interval": events.intervals,
    "event_phase": events.phases,
    "event_count": events.counts,
}
"""Families of functionals, a dict literal: the workflow reads its keys from the source."""
