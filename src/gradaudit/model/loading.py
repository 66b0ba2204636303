"""Loading a model, of the library or of a user's file, and checking that it is what it says."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from gradaudit.errors import ModelError, extras_by_name, first_few
from gradaudit.model.definition import Model
from gradaudit.model.patience import loading
from gradaudit.model.source_file import import_model
from gradaudit.model.spec import SBML_SUFFIXES, hint, sbml_setting

LIBRARY = Path(__file__).parents[1] / "library"


def library_names() -> list[str]:
    """Names of the models that come with the package, sorted."""
    return sorted(path.stem for path in LIBRARY.glob("*.py") if not path.stem.startswith("_"))


def split_axes(model: str | Path) -> tuple[str, str]:
    """``"name@mu=100"`` as ``("name", "mu=100")``; the second part is empty where there is no @."""
    name, _, setting = str(model).partition("@")
    return name, setting


def model_path(model: str | Path) -> Path:
    """The file that defines `model`, a library name or the path of a file, with or without axes.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    text, _ = split_axes(model)
    if text in library_names():
        return LIBRARY / f"{text}.py"
    path = Path(text).expanduser()
    if path.suffix in (".py", *SBML_SUFFIXES) and path.is_file():
        return path
    if path.suffix in (".py", *SBML_SUFFIXES):
        raise ModelError(
            f"no model {text!r}: the file does not exist (looked for in {Path.cwd()})."
        )
    if path.is_dir():
        raise ModelError(f"no model {text!r}: it is a folder. Write the path of a file in it.")
    if path.suffix:
        there = "has another kind of name" if path.is_file() else "does not exist"
        raise ModelError(
            f"no model {text!r}: the file {there}. A model is a .py file, or an SBML file with the "
            "ending .xml or .sbml."
        )
    raise ModelError(
        f"no model {text!r}{hint(text, library_names())}: write the path of a file (.py, or .xml "
        f"or .sbml for SBML), or a model of the library: {', '.join(library_names())}."
    )


def load_model(model: str | Path | Model) -> Model:
    """Load a model by its library name or from the path of a file that defines ``MODEL``.

    ``"name@axis=value"``, with more axes after commas, is the model at a setting of its axes.

    Raises
    ------
    ModelError
        If the file does not import, has no ``MODEL``, or the model does not pass `check`.
    """
    if isinstance(model, Model):
        check(model)
        return _complete(model)
    path = model_path(model).resolve()
    return _load(path, path.stat().st_mtime_ns, split_axes(model)[1])


@lru_cache(maxsize=256)
def _load(path: Path, modified: int, setting: str) -> Model:
    """One object for one state of a file, so that what is compiled for a model is found again."""
    del modified
    with loading(path):
        module, loaded = _import(path, setting)
        if setting and module is not None:
            loaded = _at(module, loaded, _parsed(loaded, setting), setting)
        loaded = replace(loaded, source=str(path))
        check(loaded)
        return _complete(loaded)


def _import(path: Path, setting: str) -> tuple[ModuleType | None, Model]:
    """The model of a file, and the module that it was imported as; None for SBML.

    The latter is at its setting.
    """
    if path.suffix not in SBML_SUFFIXES:
        return import_model(path)
    with extras_by_name(f"reading the SBML file {path}"):
        from gradaudit.model.sbml import load_sbml
        from gradaudit.model.sbml.importer import DEFAULT_T_END
    try:
        t_end, values, only = sbml_setting(setting)
    except ValueError as error:
        raise ModelError(
            f"{path}: {error}; write {path.name}@t_end=50,"
            f"k=2 for the window and values by id, {path.name}@only=k1+k2 for the parameters."
        ) from None
    model = load_sbml(
        path, t_end=DEFAULT_T_END if t_end is None else t_end, values=values, only=only
    )
    return None, replace(model, name=f"{model.name}@{setting}") if setting else model


def _parsed(model: Model, setting: str) -> dict[str, float]:
    """``"mu=100,t_end=5"`` as a dict."""
    values: dict[str, float] = {}
    known = list(dict.fromkeys([*model.axes, *model.parameters, *model.states, "t_end"]))
    for part in setting.split(","):
        name, _, number = part.partition("=")
        if name not in known:
            raise ModelError(
                f"model {model.name!r} has no axis, parameter or state {name!r}"
                f"{hint(name, known)}; it has {first_few(known, quoted=False)}."
            )
        if name in values:
            raise ModelError(f"model {model.name!r}: {name!r} is set twice.")
        try:
            values[name] = float(number)
        except ValueError:
            example = model.axes.get(name, (1.5,))[0]
            raise ModelError(
                f"model {model.name!r}: {part!r} sets no value; write "
                f"{model.name}@{name}={example:g}."
            ) from None
    return values


def _at(module: ModuleType | None, model: Model, values: dict[str, float], setting: str) -> Model:
    name = f"{model.name}@{setting}"
    family = getattr(module, "at", None)
    if callable(family) and model.axes.keys() & values.keys():
        model = family(**{axis: value for axis, value in values.items() if axis in model.axes})
        values = {axis: value for axis, value in values.items() if axis not in model.axes}
    changed: dict[str, Any] = {"states": dict(model.states), "parameters": dict(model.parameters)}
    for axis, value in values.items():
        kind = next((k for k in ("states", "parameters") if axis in changed[k]), None)
        if kind == "states" and model.initial_state is not None:
            raise ModelError(
                f"model {model.name!r}: the initial value of {axis!r} comes from its function "
                f"initial_state, so that {axis}={value:g} would change nothing; set a parameter "
                "that the function takes."
            )
        if kind is not None:
            changed[kind][axis] = (value, changed[kind][axis][1])
        elif axis == "t_end":
            changed["t_end"] = value
        else:
            raise ModelError(
                f"model {model.name!r}: the axis {axis!r} is neither a parameter, a state nor "
                "t_end. Define a function at(**axes) in the file that returns the model there."
            )
    return replace(model, name=name, **changed)


def _complete(model: Model) -> Model:
    """The model with the events that follow from its vector field by themselves."""
    from gradaudit.model.interpolation import with_knots

    complete = with_knots(model)
    if complete is not model:
        check(complete)
    return complete


def check(model: Model) -> None:
    """Check that a model is what it says, see `gradaudit.model.validation.check`."""
    from gradaudit.model.validation import check as check_by_tracing

    check_by_tracing(model)
