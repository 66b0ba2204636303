"""The python file of a model: importing it, and saying at which line it is wrong."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from gradaudit.errors import ModelError
from gradaudit.model.definition import Event, Model
from gradaudit.model.spec import hint

DICTS = ("states", "parameters", "integrands", "events", "axes")

_UNEXPECTED = re.compile(r"(Model|Event)\.__init__\(\) got an unexpected keyword argument '(\w+)'")


def import_model(path: Path) -> tuple[ModuleType, Model]:
    """The module that the file is, and its ``MODEL``.

    Raises
    ------
    ModelError
        If the file is not Python, raises when it is imported, has a name twice in one of the
        dictionaries of its model, or defines no ``MODEL`` of the right type.
    """
    import gradaudit.backend.jax_setup  # noqa: F401  # float64 before the file makes its first array

    _check_names(path, _parse(path))
    module_name = f"gradaudit_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path}: not a python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except ModelError as error:
        if str(error).startswith(str(path)):
            raise
        raise ModelError(f"{path}{_line(error, path)}: {error}") from error
    except (Exception, SystemExit) as error:
        unknown = _unknown_field(error)
        if unknown:
            raise ModelError(f"{path}{_line(error, path)}: {unknown}") from error
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ModelError(
            f"{path}{_line(error, path)}: importing it failed with {reason}. "
            "A model's file must import by itself; mend that line."
        ) from error
    return module, _model_of(module, path)


def _unknown_field(error: BaseException) -> str:
    """For a keyword that Model or Event does not have: a sentence with those that it has."""
    found = _UNEXPECTED.match(str(error)) if isinstance(error, TypeError) else None
    if found is None:
        return ""
    kind, name = found.groups()
    of = Model if kind == "Model" else Event
    known = [field.name for field in dataclasses.fields(of) if field.name != "source"]
    return (
        f"{kind} has an unknown field {name!r}{hint(name, known)}; its fields are "
        f"{', '.join(known)}."
    )


def declares_events(path: Path) -> bool:
    """Whether a model's file declares events, read without running it; of SBML, whether it may."""
    if path.suffix != ".py":
        text = path.read_bytes()
        return b"<event" in text or b"piecewise" in text
    return any(
        isinstance(node, ast.keyword) and node.arg == "events" for node in ast.walk(_parse(path))
    )


def _model_of(module: ModuleType, path: Path) -> Model:
    example = "end the file with MODEL = gradaudit.Model(...)."
    if not hasattr(module, "MODEL"):
        close = difflib.get_close_matches("MODEL", [n.upper() for n in vars(module)], n=1)
        held = [name for name, value in vars(module).items() if isinstance(value, Model)]
        if held:
            raise ModelError(f"{path}: defines no MODEL; rename {held[0]!r} to MODEL.")
        case = " (names are case sensitive)" if close and hasattr(module, close[0].lower()) else ""
        raise ModelError(f"{path}: defines no MODEL{case}; {example}")
    model = module.MODEL
    if not isinstance(model, Model):
        kind = "the class Model" if model is Model else f"of type {type(model).__name__}"
        raise ModelError(f"{path}: MODEL is {kind}, no gradaudit.Model; {example}")
    return model


def _parse(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        code = f": {error.text.strip()}" if error.text else ""
        raise ModelError(f"{path}{line}: not valid Python, {error.msg}{code}") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from None


def _check_names(path: Path, tree: ast.Module) -> None:
    """No name twice in a dictionary of the model: Python would keep the last one without a word."""
    for kind, entries in _dictionaries(tree):
        seen: dict[object, int] = {}
        for key in entries.keys:
            if not isinstance(key, ast.Constant):
                continue
            if key.value in seen:
                raise ModelError(
                    f"{path}, line {key.lineno}: {kind} has the name {key.value!r} twice (first in "
                    f"line {seen[key.value]}), and Python keeps the last; rename or remove one."
                )
            seen[key.value] = key.lineno


def _dictionaries(tree: ast.Module) -> Iterator[tuple[str, ast.Dict]]:
    """Dict literals that a call of Model is given, there or by a name of the top of the file."""
    named = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "Model":
            for keyword in node.keywords:
                value: ast.expr | None = keyword.value
                if isinstance(value, ast.Name):
                    value = named.get(value.id)
                if keyword.arg in DICTS and isinstance(value, ast.Dict):
                    yield keyword.arg, value


def _line(error: BaseException, path: Path) -> str:
    """The last line of the file that took part."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""
