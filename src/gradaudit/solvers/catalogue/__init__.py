"""One file per solver.

A module declares ``SOLVER``, a `gradaudit.solvers.solver.Solver`,
and is discovered in this folder. It
imports diffrax inside its function ``classes`` only.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradaudit.errors import SettingError
from gradaudit.model.spec import hint
from gradaudit.records.catalogue import AUTO, catalogue
from gradaudit.solvers.solver import Solver


def solvers() -> Mapping[str, Solver]:
    """Every solver by name, in the order in which they are shown."""
    return catalogue("solvers")


NO_CHOICE = (
    'solver "auto" is for gradaudit.sensitivities, checked_jacfwd, checked_hvp, the gradient and '
    "the Fisher information of an estimation problem, and the command gradaudit audit; name a "
    "solver here, such as tsit5 or, for stiff problems, rodas5p."
)


def get_solver(name: str) -> Solver:
    """The solver of that name.

    Raises
    ------
    SettingError
        If there is none.
    """
    if name == AUTO:
        raise SettingError(NO_CHOICE)
    known = solvers()
    if name not in known:
        raise SettingError(
            f"unknown solver {name!r}{hint(str(name), list(known))}; the solvers are "
            f"{', '.join(known)}, and {AUTO} where one solve or audit is asked for."
        )
    return known[name]
