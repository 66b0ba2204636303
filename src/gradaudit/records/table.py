"""What a table of the atlas says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from gradaudit.errors import SettingError
from gradaudit.records.declarations import declared


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of the atlas: one module of `gradaudit.analysis`, with a function that computes it.

    Attributes
    ----------
    name
        Of the file below ``atlas/``, and of the option of the command.
    about
        What it holds, and what a row is.
    function
        Of the module; it takes the table of all audits, and the settings named here.
    settings
        Keys of the settings of stage atlas, in the order of the arguments.
    """

    name: str
    about: str
    function: str
    settings: tuple[str, ...] = ()


@cache
def tables() -> Mapping[str, tuple[str, Table]]:
    """Module and declaration of every table of the atlas, by the name of the table.

    Raises
    ------
    SettingError
        If two have the same name.
    """
    by_name: dict[str, tuple[str, Table]] = {}
    for module, table in declared("analysis", "TABLE", {"Table": Table}).values():
        if table.name in by_name:
            raise SettingError(f"{by_name[table.name][0]} and {module} both make {table.name!r}.")
        by_name[table.name] = (module, table)
    return MappingProxyType(by_name)
