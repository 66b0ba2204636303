"""One file per solver.

A module declares ``SOLVER``, a `gradaudit.solvers.solver.Solver`,
and is discovered in this folder. It
imports diffrax inside its function ``classes`` only.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradaudit.errors import SettingError
from gradaudit.records.catalogue import catalogue
from gradaudit.solvers.solver import Solver


def solvers() -> Mapping[str, Solver]:
    """Every solver by name, in the order in which they are shown."""
    return catalogue("solvers")


def get_solver(name: str) -> Solver:
    """The solver of that name.

    Raises
    ------
    SettingError
        If there is none.
    """
    known = solvers()
    if name not in known:
        raise SettingError(f"unknown solver {name!r}; the solvers are {', '.join(known)}.")
    return known[name]
