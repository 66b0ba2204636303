"""What can be extended by one new file: solvers, methods, functionals and indicators.

Each kind has a folder. A module in it declares one thing, a frozen dataclass under a fixed name,
and is discovered there; other packages add theirs by an entry point of the group
``gradaudit.<kind>``. Modules of the folders import nothing heavy before they compute, so that
names and labels can be read without JAX.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any

from gradaudit.errors import SettingError

AUTO = "auto"
"""In place of the name of a solver: the one that suits (`gradaudit.sensitivity.solver_choice`)."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Where things of one kind are declared.

    Attributes
    ----------
    folder
        Dotted name of the package whose modules declare one each.
    module, type
        The dataclass that they declare; it has at least the fields ``name`` and ``rank``, and its
        name in capitals is the name of the declaration in the module.
    """

    folder: str
    module: str
    type: str

    @property
    def attribute(self) -> str:
        """The name under which a module declares its thing, such as METHOD."""
        return self.type.upper()


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "solvers": Kind(
            folder="gradaudit.solvers.catalogue", module="gradaudit.solvers.solver", type="Solver"
        ),
        "methods": Kind(
            folder="gradaudit.sensitivity.methods",
            module="gradaudit.sensitivity.method",
            type="Method",
        ),
        "functionals": Kind(
            folder="gradaudit.evaluation.functionals",
            module="gradaudit.evaluation.functional_family",
            type="Family",
        ),
        "indicators": Kind(
            folder="gradaudit.evaluation.indicators",
            module="gradaudit.evaluation.indicator",
            type="Indicator",
        ),
    }
)


@cache
def catalogue(kind: str) -> Mapping[str, Any]:
    """What is declared of a kind of `KINDS`, by name, in the order in which it is shown.

    Things of equal ``rank`` stand in the order of the alphabet. Read once in a process.

    Raises
    ------
    SettingError
        If a module of the folder declares nothing, an entry point cannot be loaded or is not a
        declaration of that kind, or two things have the same name.
    """
    described = KINDS[kind]
    expected = getattr(importlib.import_module(described.module), described.type)
    declared: dict[str, tuple[Any, str]] = {}
    for thing, source in (*_of_folder(described), *_of_other_packages(kind)):
        if not isinstance(thing, expected):
            raise SettingError(
                f"{source} is not a {described.type}; declare {described.attribute} = "
                f"{described.type}(...), from {described.module}."
            )
        if thing.name in declared:
            raise SettingError(
                f"{declared[thing.name][1]} and {source} both declare {thing.name!r} among the "
                f"{kind}; rename or uninstall one of them."
            )
        declared[thing.name] = (thing, source)
    ordered = sorted((thing for thing, _ in declared.values()), key=lambda x: (x.rank, x.name))
    return MappingProxyType({thing.name: thing for thing in ordered})


def names(kind: str) -> list[str]:
    """Names of what is declared of a kind, in the order in which they are shown."""
    return list(catalogue(kind))


def inverse_crimes() -> list[str]:
    """Kinds of functionals whose data the solver makes itself: a gradient of 0 shows nothing."""
    return [name for name, family in catalogue("functionals").items() if family.is_inverse_crime]


def label(kind: str, name: str) -> str:
    """What people call a thing; of one that is not declared here, its name with blanks."""
    known = catalogue(kind)
    return str(known[name].label) if name in known else name.replace("_", " ")


def declared_text(kind: str) -> str:
    """What the declarations of a kind say, functions aside: equal if and only if they say the same.

    One line per thing, fields in alphabetical order.
    """
    lines = []
    for thing in catalogue(kind).values():
        values = {field.name: getattr(thing, field.name) for field in fields(thing)}
        content = sorted((name, value) for name, value in values.items() if not callable(value))
        lines.append(repr(content))
    return "\n".join(lines)


def other_packages(kind: str) -> list[EntryPoint]:
    """The entry points of the group ``gradaudit.<kind>``, by name."""
    return sorted(entry_points(group=f"gradaudit.{kind}"), key=lambda entry: entry.name)


def _of_folder(kind: Kind) -> Iterator[tuple[Any, str]]:
    folder = importlib.import_module(kind.folder)
    for entry in sorted(pkgutil.iter_modules(folder.__path__), key=lambda module: module.name):
        if entry.ispkg or entry.name.startswith("_"):
            continue
        module = importlib.import_module(f"{kind.folder}.{entry.name}")
        source = f"{kind.attribute} of {module.__name__}"
        yield getattr(module, kind.attribute, None), source


def _of_other_packages(kind: str) -> Iterator[tuple[Any, str]]:
    for entry in other_packages(kind):
        owner = f" of {entry.dist.name}" if entry.dist else ""
        source = f"the entry point {entry.name!r}{owner} in the group {entry.group!r}"
        try:
            yield entry.load(), source
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise SettingError(
                f"{source} cannot be loaded ({reason}); repair or uninstall it."
            ) from error
