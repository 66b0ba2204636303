"""From what a user writes to a `Study`: defaults filled in, everything checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gradaudit.errors import SettingError
from gradaudit.model.spec import is_problem, key_of, problems_in
from gradaudit.pipeline.config.choices import relative
from gradaudit.pipeline.config.files import Source, invalid, line_of, read_source
from gradaudit.pipeline.config.messages import explain
from gradaudit.pipeline.config.naming import check_names
from gradaudit.pipeline.config.study import Study

ALL = "all"
"""In `problems.fits` and `problems.checked`: every problem of the study."""


def study_of(config: Mapping[str, Any], *, sources: Iterable[Source] = ()) -> Study:
    """The configuration with its defaults; keys, types and ranges are checked, names are not.

    Parameters
    ----------
    config
        Keys and values as YAML gives them.
    sources
        The files that they come from, for the lines in messages.

    Raises
    ------
    SettingError
        With one line for every problem: file and line, key, what is wrong, what to write.
    """
    files = tuple(sources)
    try:
        return Study.model_validate(dict(config))
    except ValidationError as error:
        problems = sorted(error.errors(include_url=False), key=lambda e: str(e["loc"]))
        raise invalid(
            line_of(files, problem["loc"], problem["input"]) + explain(problem)
            for problem in problems
        ) from None


def read(config: Mapping[str, Any], files: Iterable[Path]) -> Study:
    """The configuration of a workflow, completed and checked.

    Parameters
    ----------
    config
        What Snakemake has put together from files and command line.
    files
        The files; a key that one of them sets twice is refused, for a YAML loader says nothing.

    Raises
    ------
    SettingError
        If it is invalid.
    """
    sources = [read_source(path) for path in map(Path, files) if path.is_file()]
    study = with_folder(study_of(config, sources=sources))
    check_names(study)
    return study


def with_folder(study: Study) -> Study:
    """With the problems of `problems.folder` among the models, and with paths for their keys.

    Raises
    ------
    SettingError
        If it is no folder, or has no problem.
    """
    folder, models = study.problems.folder, study.models
    if folder:
        try:
            found = [relative(path) for path in problems_in(Path(folder).expanduser())]
        except SettingError as error:
            raise SettingError(f"problems.folder: {error}") from None
        models = list(dict.fromkeys([*models, *found]))
    paths = {key_of(entry): entry for entry in models if is_problem(entry)}
    named = {name: getattr(study.problems, name) for name in ("fits", "checked")}
    chosen = {
        name: list(paths.values())
        if ALL in entries
        else [paths.get(entry, entry) for entry in entries]
        for name, entries in named.items()
    }
    problems = study.problems.model_copy(update=chosen)
    return study.model_copy(update={"models": models, "problems": problems})
