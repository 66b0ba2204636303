"""One file per method of computing sensitivities; what several of them share lies one folder up.

A module declares ``METHOD``, a `gradaudit.sensitivity.method.Method`,
and is discovered in this folder.
It imports JAX and other tools inside its function ``solve`` only.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradaudit.errors import SettingError
from gradaudit.model.spec import hint
from gradaudit.records.catalogue import catalogue
from gradaudit.sensitivity.method import Method


def methods() -> Mapping[str, Method]:
    """Every method by name, in the order in which they are shown."""
    return catalogue("methods")


def get_method(name: str) -> Method:
    """The method of that name.

    Raises
    ------
    SettingError
        If there is none.
    """
    known = methods()
    if name not in known:
        raise SettingError(
            f"unknown method {name!r}{hint(str(name), list(known))}; the methods are "
            f"{', '.join(known)}."
        )
    return known[name]
