"""Which result belongs in which file of a study, and whether it is the one that is there.

The workflow writes this down for its jobs, which check what they read. Who calls a stage by hand
has no study: then the stage that made a file is checked, and that all are of one model.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gradaudit.errors import DamagedResultError
from gradaudit.model.spec import digest_of
from gradaudit.pipeline.flow import is_figures, sources_of, stages
from gradaudit.records.files import write_text
from gradaudit.records.origin import AGAIN, Origin, check_origin, digest
from gradaudit.records.stage import Stage

if TYPE_CHECKING:
    from gradaudit.pipeline.config.study import Study

VARIABLE = "GRADAUDIT_STUDY"
"""Environment variable with the file that says so for the study of a job."""


def expected(study: Study) -> dict[str, Origin]:
    """What belongs in each file of a study, by its path."""
    # A job has no use for the configuration, and importing it takes long.
    from gradaudit.pipeline.config.choices import model_files
    from gradaudit.pipeline.config.slices import settings_of
    from gradaudit.pipeline.rules import jobs

    origins: dict[str, Origin] = {}
    digests = {key: digest_of(path) for key, path in model_files(study).items()}
    for name, stage in stages().items():
        for job in jobs(stage, study):
            of = Origin(
                **_base(name),
                **_subject(job),
                # What stage track stores of its settings has no password.
                settings=_digest(name, settings_of(name, study, **job)),
                model_file=digests[job["model"]] if stage.process == "solving" else None,
            )
            for made in stage.outputs.values():
                origins[os.path.normpath(f"{study.results}/{made.path.format(**job)}")] = of
    return origins


def as_text(origins: Mapping[str, Origin]) -> str:
    """The same as JSON."""
    return json.dumps({path: origin.plain() for path, origin in origins.items()}, indent=0)


def plan_file(study: Study, text: str) -> Path:
    """Where the workflow keeps that text: another study at the same results has another file."""
    name = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Path(study.results) / ".cache" / f"study-{name}.json"


def write_plan(path: Path, text: str) -> None:
    """Write that file, for the jobs of a workflow that starts."""
    write_text(text, path)


def check_inputs(stage: Stage, paths: Mapping[str, Iterable[Path]]) -> None:
    """Check the inputs of a job before it reads them.

    Parameters
    ----------
    paths
        Files by name of the input.

    Raises
    ------
    DamagedResultError, MissingResultError
        At the first that cannot be read, or is another result than belongs there.
    """
    plan = _plan(os.environ.get(VARIABLE, ""))
    models: dict[str, Path] = {}
    for option, files in paths.items():
        writers = [name for name, _, _ in sources_of(stage.inputs[option])]
        for path in files:
            origin = plan.get(os.path.normpath(path)) or Origin(**_base(writers[0]))
            model = check_origin(path, origin).get("model", "")
            if stage.each and model:
                models.setdefault(model, path)
    if len(models) > 1:
        first, second = list(models)[:2]
        raise DamagedResultError(
            f"{models[first]} is of the model {first!r}, and {models[second]} of {second!r}: one "
            f"of them is not the result that belongs there. {AGAIN}"
        )


def _base(name: str) -> dict[str, str]:
    return {"stage": "figures" if is_figures(name) else name}


def _subject(job: Mapping[str, str]) -> dict[str, str]:
    return {"model": job.get("model", ""), "solver": job.get("solver", "")}


def _digest(name: str, settings: str) -> str | None:
    return None if name == "track" else digest(settings)


@cache
def _plan(path: str) -> Mapping[str, Origin]:
    if not path or not Path(path).is_file():
        return {}
    read = json.loads(Path(path).read_text(encoding="utf-8"))
    return {name: Origin(**fields) for name, fields in read.items()}
