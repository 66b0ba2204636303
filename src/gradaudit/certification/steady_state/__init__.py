"""Steady states with their sensitivities: the one that a model reaches from its start, certified in
extended precision.
"""

from __future__ import annotations

from gradaudit.certification.steady_state.steady_state import SteadyState, steady_state

__all__ = ["SteadyState", "steady_state"]
