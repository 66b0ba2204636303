"""Which models and solvers a configuration names, and which solver is for which model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from gradaudit.errors import SettingError
from gradaudit.model import spec as specs
from gradaudit.pipeline.config.study import Study


def model_files(study: Study) -> dict[str, str]:
    """The file of every model, those of other sections of the configuration too, by the key.

    Raises
    ------
    SettingError
        If there is no such model, or two files have the same stem.
    """
    return {key: relative(specs.file_of(spec)) for key, spec in model_specs(study).items()}


def model_specs(study: Study) -> dict[str, str]:
    """What a stage is told to load, the file with the setting of axes, by the model's key.

    Raises
    ------
    SettingError
        As `model_files`.
    """
    specs_by_key: dict[str, str] = {}
    for entry in [
        *study.models,
        *study.experiment.models,
        *study.sweep.models,
        *study.problems.fits,
        *study.problems.checked,
    ]:
        for spec in specs.expand(entry):
            key, setting = specs.key_of(spec), spec.partition("@")[1:]
            path = relative(specs.file_of(spec))
            if specs_by_key.setdefault(key, path + "".join(setting)).partition("@")[0] != path:
                raise SettingError(
                    f"models: two models have the key {key!r}: {specs_by_key[key]} and {path}. "
                    "The key is the stem of the file; rename one of them."
                )
    return specs_by_key


def keys_of(models: Iterable[str]) -> list[str]:
    """The keys of a list of models, without repetition."""
    return list(dict.fromkeys(specs.key_of(spec) for entry in models for spec in _specs(entry)))


def _specs(entry: str) -> list[str]:
    """What an entry stands for; without a look at files unless it is all values of an axis."""
    _, at, setting = entry.partition("@")
    return specs.expand(entry) if at and "=" not in setting else [entry]


def base_solver(study: Study, key: str) -> str:
    """The solver that an entry of `solvers` stands for: its own name, unless it says otherwise."""
    return study.solvers[key].solver or key


def plain_solvers(study: Study) -> list[str]:
    """The entries that are a solver as it is, for every model."""
    alike = {"methods", "estimate", "tolerances"}
    return [key for key, entry in study.solvers.items() if entry.own().keys() <= alike]


def choice_of_solvers(study: Study) -> Callable[[str], list[str]]:
    """The entries of `solvers` that are for a model, in their order, by the key of the model."""
    some = {
        key: None if entry.models is None else frozenset(keys_of(entry.models))
        for key, entry in study.solvers.items()
    }
    return lambda model: [key for key, models in some.items() if models is None or model in models]


def relative(path: Path) -> str:
    """`path` as seen from the working directory if it lies below, for a repository may move."""
    path, here = Path(path).resolve(), Path.cwd().resolve()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
