"""The part of the configuration that each stage reads, as canonical JSON.

The workflow stores that text, and so only a change that matters to a stage runs it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from gradaudit.pipeline.config.fields import Section, extra_of
from gradaudit.pipeline.config.ladders import ladder, ladder_of
from gradaudit.pipeline.config.study import Study
from gradaudit.records.provenance import canonical_json

_VARIANT = ("solver", "observe", "dtype", "pid", "root_tolerance", "steps")


class _Job(NamedTuple):
    solver: str
    model: str


def settings_of(stage: str, study: Study, *, solver: str = "", model: str = "") -> str:
    """Canonical JSON of the keys that `stage` reads, for a solver or a model's key.

    A key has its own name, whatever section it is in. What a job needs in another form, such as
    the tolerances of its solver, is in that form.
    """
    read = _read(stage, study)
    adjusted = _ADJUSTED[stage](study, read, _Job(solver, model)) if stage in _ADJUSTED else read
    return canonical_json(_normal(adjusted))


def _read(stage: str, section: Section) -> dict[str, Any]:
    """The keys of a section, and of those below it, that name `stage` among their readers."""
    settings: dict[str, Any] = {}
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if stage in extra_of(field).get("stages", ()):
            settings[name] = value.model_dump() if isinstance(value, Section) else value
        elif isinstance(value, Section):
            settings |= _read(stage, value)
    return settings


def _simulate(study: Study, read: dict[str, Any], job: _Job) -> dict[str, Any]:
    """With the tolerances of the job's solver, in place of all solvers."""
    kept = {key: value for key, value in read.items() if key != "solvers"}
    return {**kept, "tolerances": ladder_of(study, job.solver)}


def _gradients(study: Study, read: dict[str, Any], job: _Job) -> dict[str, Any]:
    """Likewise, with what the solver has of its own."""
    entry = study.solvers.get(job.solver)
    own = {} if entry is None else entry.own()
    variant = {key: own[key] for key in _VARIANT if key in own}
    general = {key: own[key] for key in ("methods", "estimate") if key in own}
    settings = _simulate(study, read, job) | general
    return settings | ({"variant": variant} if variant else {})


def _figures_experiment(study: Study, read: dict[str, Any], job: _Job) -> dict[str, Any]:
    """With the published norm of the job's model, in place of all of them."""
    kept = {key: value for key, value in read.items() if key != "published_norms"}
    return {**kept, "published_norm": study.experiment.published_norms.get(job.model)}


def _track(study: Study, read: dict[str, Any], job: _Job) -> dict[str, Any]:
    """With the folder of the store, in place of that of all results."""
    del job
    kept = {key: value for key, value in read.items() if key != "results"}
    return {**kept, "store": f"{study.results}/mlflow"}


def _problem(study: Study, read: dict[str, Any], job: _Job) -> dict[str, Any]:
    """With the general tolerances: the solvers are as they are."""
    del job
    return {**read, "tolerances": ladder(**study.tolerances.model_dump())}


_ADJUSTED: dict[str, Callable[[Study, dict[str, Any], _Job], dict[str, Any]]] = {
    "simulate": _simulate,
    "gradients": _gradients,
    "figures_experiment": _figures_experiment,
    "problem": _problem,
    "track": _track,
}


def _normal(value: Any) -> Any:
    """Plain dicts and lists; a whole number where YAML has 1 and 1.0 alike."""
    if isinstance(value, Mapping):
        return {str(key): _normal(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_normal(entry) for entry in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value
