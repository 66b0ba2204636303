"""The tolerance series of a solver, from the loosest down."""

from __future__ import annotations

import math

from gradaudit.errors import SettingError
from gradaudit.pipeline.config.study import Study


def ladder(
    *, loosest: float, tightest: float, per_decade: int, where: str = "tolerances"
) -> list[float]:
    """Relative tolerances from `loosest` down to at least `tightest`, `per_decade` per decade.

    `where` is the key of the configuration, for the message.

    Raises
    ------
    SettingError
        If `tightest` is above `loosest`, or one of the numbers is out of range.
    """
    if not (0.0 < tightest < 1.0 and 0.0 < loosest < 1.0 and per_decade >= 1):
        raise SettingError(
            f"{where}: loosest ({loosest:g}) and tightest ({tightest:g}) must lie between 0 and "
            f"1, and per_decade ({per_decade}) must be at least 1."
        )
    if tightest > loosest:
        raise SettingError(
            f"{where}: tightest ({tightest:g}) is above loosest ({loosest:g}); swap them."
        )
    steps = math.floor(math.log10(loosest / tightest) * per_decade + 1e-9)
    # Six digits are enough, and 1e-6 is then the same number however it was reached.
    return [float(f"{loosest * 10.0 ** (-k / per_decade):.6g}") for k in range(steps + 1)]


def ladder_of(study: Study, solver: str) -> list[float]:
    """The tolerances of one entry of `solvers`, loosest first."""
    entry = study.solvers.get(solver)
    own = {} if entry is None else entry.own().get("tolerances", {})
    where = f"solvers.{solver}.tolerances" if own else "tolerances"
    return ladder(**{**study.tolerances.model_dump(), **own}, where=where)
