"""How a model is named in the configuration: a file or library name, and a setting of its axes.

    logistic                 a model of the library
    my/pendulum.py           a model of a user, in python or SBML (.xml, .sbml)
    van_der_pol@mu=100       a model at a setting of its axes, several after commas
    van_der_pol@mu           that model at every value of an axis
    pendulum.py@g=9.8,t_end=5  a model in Python with other values, by name
    cell.xml@t_end=50,k=2    SBML with another window and other values, by id
    cell.xml@only=k+S        with those parameters only; a state stands for its initial value
    boehm/problem.yaml       an estimation problem in PEtab (.yaml, .yml)

Nothing here imports a model, which would start JAX; the values of an axis are read from the source.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from gradaudit.errors import SettingError

PACKAGE = Path(__file__).parents[1]
PROBLEMS = (".yaml", ".yml")
SBML_SUFFIXES = (".xml", ".sbml")
SUFFIXES = (".py", *SBML_SUFFIXES, *PROBLEMS)
_STEM = re.compile(r"[A-Za-z][A-Za-z0-9_-]*\Z")
# The setting is a part of the key, and so of names of files: nothing else that a number may be.
_AXIS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z", re.ASCII)
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\Z")


LONGEST_KEY = 150
_IDS = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\+[A-Za-z_][A-Za-z0-9_]*)*\Z", re.ASCII)


class SbmlSetting(NamedTuple):
    """What the setting of a file in SBML asks for, see `gradaudit.model.sbml.load_sbml`."""

    t_end: float | None
    values: dict[str, float]
    only: tuple[str, ...] | None


def sbml_setting(setting: str) -> SbmlSetting:
    """``"t_end=50,k=2,only=k+S"``, read.

    Raises
    ------
    ValueError
        If a part cannot be read; what is wrong with it is the message.
    """
    t_end, values, only = None, {}, None
    for part in setting.split(",") if setting else ():
        name, _, text = part.partition("=")
        if setting.count(f",{name}=") + setting.startswith(f"{name}=") > 1:
            raise ValueError(f"{name!r} is set twice")
        if name == "only" and _IDS.match(text):
            only = tuple(text.split("+"))
        elif not _AXIS.match(name) or not _NUMBER.match(text):
            raise ValueError(f"{part!r} {_wrong_with(name, text, after_only=only is not None)}")
        elif name == "t_end":
            t_end = float(text)
        else:
            values[name] = float(text)
    return SbmlSetting(t_end, values, only)


def _wrong_with(name: str, text: str, *, after_only: bool) -> str:
    """Why a part of a setting cannot be read."""
    if name == "only":
        return "names no ids joined by +"
    if after_only and not text:
        return "has no number; ids are joined by +, not by a comma"
    return "is no name and number" if _NUMBER.match(text) else "has no finite number"


def is_problem(entry: str) -> bool:
    """Whether an entry is the path of an estimation problem, by its suffix."""
    return entry.partition("@")[0].lower().endswith(PROBLEMS)


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
    if is_problem(name):
        raise SettingError(f"models: {entry!r}: an estimation problem has no axes; write {name}.")
    if setting and "=" not in setting:
        values = axes_of(path).get(setting)
        if values is None:
            raise SettingError(_no_axis(entry, setting, path, list(axes_of(path))))
        return [f"{name}@{setting}={value:g}" for value in values]
    if path.suffix in SBML_SUFFIXES:
        try:
            sbml_setting(setting)
        except ValueError as error:
            raise SettingError(
                f"models: {entry!r}: {error}; write "
                f"{name}@t_end=50,k=2 for the window and values by id, {name}@only=k1+k2 for the "
                "parameters."
            ) from None
        if len(key_of(entry)) > LONGEST_KEY:
            raise SettingError(
                f"models: {entry[:60]!r}... has a setting of {len(setting)} characters, too many "
                f"for names of files ({LONGEST_KEY} with the model's name): write a Python file "
                "with MODEL = load_sbml(..., values=..., only=...) instead."
            )
        return [entry]
    for part in setting.split(","):
        axis, equals, number = part.partition("=")
        if path.suffix == ".py" and axis not in (known := _settable(path)) and known:
            raise SettingError(_no_axis(entry, axis, path, known))
        if not equals or not _AXIS.match(axis) or not _NUMBER.match(number):
            example = axis if _AXIS.match(axis) else "axis"
            raise SettingError(
                f"models: {entry!r}: {part!r} is not a setting of an axis; write "
                f"{name}@{example}=1.5."
            )
    return [entry]


def key_of(spec: str | Path) -> str:
    """The key of a model in files and tables: library name or stem, with the setting of axes.

    Many problems are called problem.yaml; their key is the name of their folder.
    """
    name, at, setting = str(spec).partition("@")
    stem = _stem(Path(name)) if name.endswith(SUFFIXES) else name
    return f"{stem}{at}{setting}"


def _stem(path: Path) -> str:
    plain = is_problem(path.name) and path.stem == "problem"
    return path.absolute().parent.name if plain else path.stem


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
            f"models: {name!r} is not a model of the library{hint(name, library)}. The library "
            f"has {', '.join(library)}; a model of your own is named by its file, as in "
            "my_models/pendulum.py."
        )
    path = Path(name).expanduser()
    if not path.is_file():
        raise SettingError(f"models: the file {name} does not exist (looked for in {Path.cwd()}).")
    if not _STEM.match(_stem(path)):
        raise SettingError(
            f"models: the name of {name} becomes the model's key; it must be made of letters, "
            "digits, '_' and '-' and begin with a letter. Rename the file."
        )
    return path


def digest_of(name: str) -> str:
    """A short text for the content of the file of a spec; take it before the model is loaded.

    Of a problem it is that of all files that its YAML file names.

    Raises
    ------
    SettingError
        If there is no such file.
    """
    path = file_of(name)
    if not is_problem(path.name):
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    digests = digests_of(path)
    return hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()[:16]


def digests_of(path: Path) -> dict[str, str]:
    """SHA-256 of the YAML file of a problem and of all files that it names."""
    return {
        name: hashlib.sha256((path.parent / name).read_bytes()).hexdigest()
        for name in sorted({path.name, *files_of(path)})
    }


def files_of(path: Path) -> set[str]:
    """Every text in a YAML file that is the name of a file beside it."""
    import yaml  # of extras

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):  # which is told when the problem is loaded
        return set()
    return set(_names(content, path.parent))


def _names(content: Any, folder: Path) -> Iterator[str]:
    if isinstance(content, str):
        if content and (folder / content).is_file():
            yield content
    elif isinstance(content, (list, dict)):
        for entry in content.values() if isinstance(content, dict) else content:
            yield from _names(entry, folder)


def problems_in(folder: Path) -> list[Path]:
    """The YAML files of estimation problems in a folder, at any depth, sorted.

    Raises
    ------
    SettingError
        If there is no such folder, or no problem in it.
    """
    if not folder.is_dir():
        raise SettingError(
            f"{folder} does not exist; name the YAML file of a problem, or a folder."
        )
    found = list(filter(names_problem, sorted(folder.rglob("*.yaml"))))
    if not found:
        raise SettingError(
            f"{folder} has no problem in PEtab: no YAML file with 'format_version' is in it. "
            "Name the YAML file of a problem, or a folder with some."
        )
    return found


def names_problem(file: Path) -> bool:
    """Whether a YAML file is that of an estimation problem."""
    return "format_version" in file.read_text(encoding="utf-8", errors="replace")


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


def _settable(path: Path) -> list[str]:
    """What a setting may name of a model in Python: its axes, parameters and states, and t_end.

    Empty where they are not literals in the call of Model.
    """
    tree, found = ast.parse(path.read_text(encoding="utf-8")), [*axes_of(path)]
    for kind in ("parameters", "states"):
        keys = [
            key
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == kind
            for key in (node.value.keys if isinstance(node.value, ast.Dict) else [None])
        ]
        names = [key.value for key in keys if isinstance(key, ast.Constant)]
        if not names or len(names) < len(keys):
            return []
        found += [str(name) for name in names]
    return list(dict.fromkeys([*found, "t_end"]))


def hint(name: str, known: list[str]) -> str:
    """`` (did you mean ...?)`` where a known name is close."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _no_axis(entry: str, axis: str, path: Path, known: list[str]) -> str:
    axes = list(axes_of(path))
    has = f"its axes are {', '.join(axes)}" if axes else "it declares no axis"
    return f"models: {entry!r}: the model has no {axis!r}{hint(axis, known)}; {has}."
