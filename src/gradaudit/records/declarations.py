"""What modules declare of themselves, read from their source without importing them.

A stage, a figure or a table is one file: the code, and beside it a declaration that the workflow
and the command line read. The code imports much; a declaration is a call with literal arguments,
such as ``FIGURE = Figure(of="atlas", ...)``, and so can be read at once.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from gradaudit.errors import SettingError

PACKAGE = Path(__file__).parents[1]

FOLDERS = ("analysis", "figures")
"""Folders of which a stage runs all that is declared: it imports the folder as a whole."""


def declared(
    folder: str, constant: str, types: Mapping[str, Callable[..., Any]]
) -> dict[str, tuple[str, Any]]:
    """Dotted module and declaration of everything in a folder, by the name of the file.

    Files without the constant, such as helpers of others, are passed over. Other packages add
    modules by entry points of the group ``gradaudit.<folder>``.

    Parameters
    ----------
    folder
        Folder of the package, such as "figures".
    constant
        Name that a module assigns its declaration to.
    types
        The classes that a declaration may call, by name.

    Raises
    ------
    SettingError
        If a declaration is not made of literals, or two modules have the same name.
    """
    by_name: dict[str, tuple[str, Any]] = {}
    for module, path in (*_of_folder(folder), *_of_other_packages(folder)):
        declaration = read_declaration(path, constant, types)
        if declaration is None:
            continue
        name = path.stem
        if name in by_name:
            raise SettingError(
                f"{by_name[name][0]} and {module} both declare {constant} of {name!r}; rename one."
            )
        by_name[name] = (module, declaration)
    return by_name


def read_declaration(
    path: Path, constant: str, types: Mapping[str, Callable[..., Any]]
) -> Any | None:
    """What a file assigns to `constant` at its top; None where it does not.

    Raises
    ------
    SettingError
        If the value is not made of literals and calls of `types`.
    """
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == constant for target in targets):
            try:
                return _value(node.value, types)  # type: ignore[attr-defined]
            except (TypeError, ValueError) as error:
                raise SettingError(
                    f"{path}:{node.lineno}: {constant} cannot be read ({error}); it must be a call "
                    f"of {' or '.join(types)} with literal arguments, for it is read without "
                    "importing the module."
                ) from None
    return None


def _value(node: ast.expr, types: Mapping[str, Callable[..., Any]]) -> Any:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in types:
            keywords = {k.arg: _value(k.value, types) for k in node.keywords if k.arg}
            return types[name](*(_value(a, types) for a in node.args), **keywords)
        case ast.Dict():
            keys = [ast.literal_eval(key) for key in node.keys if key is not None]
            return dict(zip(keys, (_value(v, types) for v in node.values), strict=True))
        case ast.Tuple() | ast.List():
            return tuple(_value(entry, types) for entry in node.elts)
        case _:
            return ast.literal_eval(node)


def _of_folder(folder: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((PACKAGE / folder).glob("[!_]*.py")):
        yield f"{PACKAGE.name}.{folder}.{path.stem}", path


def _of_other_packages(folder: str) -> Iterator[tuple[str, Path]]:
    for entry in sorted(entry_points(group=f"gradaudit.{folder}"), key=lambda entry: entry.name):
        spec = importlib.util.find_spec(entry.module)
        if spec is None or spec.origin is None:
            raise SettingError(
                f"the entry point {entry.name!r} of the group {entry.group!r} names the module "
                f"{entry.module}, which does not exist; repair or uninstall that package."
            )
        yield entry.module, Path(spec.origin)
