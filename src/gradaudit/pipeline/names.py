"""The names that the package knows for what a configuration names: solvers, methods, functionals.

All questions for such names are asked here, and none of the answers imports JAX.
"""

from __future__ import annotations

from collections.abc import Iterable

from gradaudit.errors import SettingError
from gradaudit.model.spec import hint
from gradaudit.records import catalogue


def known(kind: str) -> list[str]:
    """The names of a kind of things: "solver", "method", "functional" or "indicator"."""
    return catalogue.names(f"{kind}s")


def check_known(
    kind: str, names: Iterable[str], accepted: list[str] | None = None, *, where: str = ""
) -> None:
    """Check names of one kind.

    Parameters
    ----------
    kind
        What they are, in the singular.
    names
        To be checked.
    accepted
        Names that there are; by default those of the package.
    where
        Key of the configuration, for the message.

    Raises
    ------
    SettingError
        At the first name that is not accepted.
    """
    accepted = known(kind) if accepted is None else accepted
    for name in names:
        if name not in accepted:
            place = f"{where}: " if where else ""
            raise SettingError(
                f"{place}unknown {kind} {name!r}{hint(name, accepted)}; "
                f"the {kind}s are {', '.join(accepted)}."
            )
