"""Functionals of a solution.

To add one, add a module with ``functionals(context)`` and name it in `MODULES`.
"""

from __future__ import annotations

from gradaudit.functionals import terminal, time_average, trace_sse
from gradaudit.functionals.base import Context, Functional

MODULES = (terminal, trace_sse, time_average)


def all_functionals(context: Context) -> list[Functional]:
    """Every functional that makes sense for the model of `context`."""
    return [functional for module in MODULES for functional in module.functionals(context)]
