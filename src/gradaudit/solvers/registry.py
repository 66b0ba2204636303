"""The solvers by name. A solver is one file in `gradaudit.solvers.catalogue`."""

from __future__ import annotations

from collections.abc import Mapping

from gradaudit.records.catalogue import AUTO
from gradaudit.solvers.catalogue import get_solver, solvers
from gradaudit.solvers.solver import Solver

__all__ = ["AUTO", "SOLVERS", "get_solver", "solvers"]

SOLVERS: Mapping[str, Solver] = solvers()
"""Every solver by name: what the catalogue of solvers has."""
