"""What the rules of the workflow are made of: paths and commands of the declared stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any

from gradaudit.model.spec import is_problem
from gradaudit.pipeline.config.choices import choice_of_solvers, keys_of, plain_solvers
from gradaudit.pipeline.config.study import Study
from gradaudit.pipeline.flow import is_figures, is_list, option_of, sources_of, stages
from gradaudit.records.stage import Stage

Files = str | list[str] | Callable[[Any], list[str]]
"""A pattern with wildcards, files, or files as a function of the wildcards of a job."""


def inputs(name: str, study: Study) -> dict[str, Files]:
    """The inputs of a rule by name; the file of the model comes beside them."""
    stage = stages()[name]
    return {option: _input(stage, reference, study) for option, reference in stage.inputs.items()}


def outputs(name: str) -> dict[str, str]:
    """The outputs of a rule by name, as patterns."""
    return {option: f"<results>/{made.path}" for option, made in stages()[name].outputs.items()}


def command(name: str) -> str:
    """The shell command of a rule, which has the params ``settings`` and those of the stage."""
    stage = stages()[name]
    parts = ["gradaudit", *name.split("_", 1)]
    if stage.process == "solving":
        parts.append("{params.model:q}")
    if "solver" in stage.each:
        parts.append("--solver {wildcards.solver:q}")
    parts += [f"{option_of(option)} {{input.{option}:q}}" for option in stage.inputs]
    parts += [f"{option_of(option)} {{params.{option}:q}}" for option in stage.params]
    parts.append("--settings {params.settings:q}")
    if is_figures(name):
        first = next(iter(stage.outputs))
        parts.append(f'--output-dir "$(dirname {{output.{first}:q}})"')
    else:
        parts += [f"{option_of(option)} {{output.{option}:q}}" for option in stage.outputs]
    return f"{' '.join(parts)} > {{log:q}} 2>&1"


def log(name: str) -> str:
    """The log of a rule, as a pattern."""
    folder, _, kind = name.partition("_")
    each = "/".join(f"{{{wildcard}}}" for wildcard in stages()[name].each)
    stem = "_".join(part for part in (kind, each) if part) if kind else each
    return "<logs>/" + "/".join(part for part in (folder, stem) if part) + ".log"


def files(reference: str, study: Study, root: str = "<results>", **fixed: str) -> list[str]:
    """All files of an output, such as "evaluate" or "atlas.laws", for some wildcards or for all."""
    return [
        f"{root}/{made.path.format(**job)}"
        for _, stage, made in sources_of(reference)
        for job in jobs(stage, study)
        if fixed.items() <= job.items()
    ]


def everything(study: Study, root: str = "<results>") -> list[str]:
    """All files that a study consists of.

    The workflow asks for each of them. Snakemake makes a missing file again only if it is asked
    for it, and so does not notice that a job has failed and lost its outputs while the files that
    were made from the earlier ones are still there.
    """
    return [
        f"{root}/{made.path.format(**job)}"
        for stage in stages().values()
        for job in jobs(stage, study)
        for made in stage.outputs.values()
    ]


def jobs(stage: Stage, study: Study) -> Iterator[dict[str, str]]:
    """The wildcards of all jobs of a stage."""
    if not stage.each:
        kinds = {is_problem(entry) for entry in study.models}
        if stage.problems == "both" or stage.problems in kinds:
            yield {}
        return
    listed: Any = reduce(getattr, stage.models.split("."), study)
    plain, choice = plain_solvers(study), choice_of_solvers(study)
    for model in keys_of(entry for entry in listed if is_problem(entry) == stage.problems):
        if "solver" not in stage.each:
            yield {"model": model}
            continue
        for solver in choice(model) if stage.solvers == "every" else plain:
            yield {"model": model, "solver": solver}


def _input(stage: Stage, reference: str, study: Study) -> Files:
    if not is_list(stage, reference):
        written = stage.each or any(True for _ in jobs(sources_of(reference)[0][1], study))
        return f"<results>/{sources_of(reference)[0][2].path}" if written else []
    if not stage.each:
        return files(reference, study)
    # Sorted once: Snakemake asks for each job, and there may be thousands.
    by_model: dict[str, list[tuple[dict[str, str], str]]] = {}
    for _, writer, made in sources_of(reference):
        for job in jobs(writer, study):
            # Snakemake replaces no <results> in what a function returns.
            path = f"{study.results}/{made.path.format(**job)}"
            by_model.setdefault(job.get("model", ""), []).append((job, path))

    def of_job(wildcards: Mapping[str, str]) -> list[str]:
        fixed = dict(wildcards.items()).items()
        return [path for job, path in by_model.get(wildcards["model"], ()) if fixed <= job.items()]

    return of_job
