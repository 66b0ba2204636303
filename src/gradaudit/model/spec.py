"""How a model is named in the configuration: a file or library name, and a setting of its axes.

    logistic                 a model of the library
    my/pendulum.py           a model of a user, in python or SBML (.xml, .sbml)
    van_der_pol@mu=100       a model at a setting of its axes, several after commas
    van_der_pol@mu           that model at every value of an axis

Nothing here imports a model, which would start JAX; the values of an axis are read from the source.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from gradaudit.errors import SettingError

PACKAGE = Path(__file__).parents[1]
SUFFIXES = (".py", ".xml", ".sbml")
_STEM = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
# The setting is a part of the key, and so of names of files: nothing else that a number may be.
_AXIS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\Z")


def expand(entry: str) -> list[str]:
    """The specs that an entry of the configuration stands for: one, or one a value of an axis.

    Raises
    ------
    SettingError
        If there is no such model or axis.
    """
    name, at, setting = entry.partition("@")
    path = file_of(name)
    if not at:
        return [entry]
    if setting and "=" not in setting:
        values = axes_of(path).get(setting)
        if values is None:
            raise SettingError(_no_axis(entry, setting, path))
        return [f"{name}@{setting}={value:g}" for value in values]
    for part in setting.split(","):
        axis, equals, number = part.partition("=")
        if path.suffix == ".py" and axis not in axes_of(path):
            raise SettingError(_no_axis(entry, axis, path))
        if not equals or not _AXIS.match(axis) or not _NUMBER.match(number):
            example = axis if _AXIS.match(axis) else "axis"
            raise SettingError(
                f"models: {entry!r}: {part!r} is no setting of an axis; write {name}@{example}=1.5."
            )
    return [entry]


def key_of(spec: str | Path) -> str:
    """The key of a model in files and tables: library name or stem, with the setting of axes."""
    name, at, setting = str(spec).partition("@")
    stem = Path(name).stem if name.endswith(SUFFIXES) else name
    return f"{stem}{at}{setting}"


def file_of(name: str) -> Path:
    """The file of a library name, or the path of a user's file.

    Raises
    ------
    SettingError
        If there is none, or its stem cannot be a key.
    """
    name = str(name).partition("@")[0]
    if not name.endswith(SUFFIXES):
        path = PACKAGE / "library" / f"{name}.py"
        if _STEM.match(name) and path.is_file():
            return path
        library = library_names()
        raise SettingError(
            f"models: {name!r} is no model of the library{hint(name, library)}. The library "
            f"has {', '.join(library)}; a model of your own is named by its file, as in "
            "my_models/pendulum.py."
        )
    path = Path(name).expanduser()
    if not path.is_file():
        raise SettingError(f"models: the file {name} does not exist (looked for in {Path.cwd()}).")
    if not _STEM.match(path.stem):
        raise SettingError(
            f"models: the name of {name} becomes the model's key; it must be made of letters, "
            "digits, '_' and '-' and begin with a letter. Rename the file."
        )
    return path


def digest_of(name: str) -> str:
    """A short text for the content of the file of a spec; take it before the model is loaded.

    Raises
    ------
    SettingError
        If there is no such file.
    """
    return hashlib.sha256(file_of(name).read_bytes()).hexdigest()[:16]


def library_names() -> list[str]:
    """Names of the models of the library, sorted."""
    return sorted(path.stem for path in (PACKAGE / "library").glob("[!_]*.py"))


def axes_of(path: Path) -> dict[str, tuple[float, ...]]:
    """The axes of a model, read from its source without running it.

    They are a literal in the call of Model, or a name that a literal is assigned to at the top of
    the file; empty where there is neither.
    """
    if path.suffix != ".py":
        return {}
    status = path.stat()
    # A study may name one file a thousand times.
    return dict(_axes(path.resolve(), status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=1024)
def _axes(path: Path, modified: int, size: int) -> Mapping[str, tuple[float, ...]]:
    """The same of a file of that time and size."""
    del modified, size
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assigned = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.keyword) or node.arg != "axes":
            continue
        value = node.value
        if isinstance(value, ast.Name):
            value = assigned.get(value.id, value)
        try:
            axes = ast.literal_eval(value)
        except ValueError:
            continue
        return {str(axis): tuple(map(float, values)) for axis, values in axes.items()}
    return {}


def hint(name: str, known: list[str]) -> str:
    """`` (did you mean ...?)`` where a known name is close."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _no_axis(entry: str, axis: str, path: Path) -> str:
    known = list(axes_of(path))
    has = f"its axes are {', '.join(known)}" if known else "it declares none"
    return f"models: {entry!r}: the model has no axis {axis!r}; {has}."
