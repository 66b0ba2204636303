"""Checks of a configuration against the package and the disk: what a type cannot know."""

from __future__ import annotations

import re
from collections.abc import Iterable

from gradaudit.errors import SettingError
from gradaudit.model.spec import is_problem, library_names
from gradaudit.pipeline.address import check_address
from gradaudit.pipeline.config.choices import base_solver, choice_of_solvers, keys_of, model_specs
from gradaudit.pipeline.config.ladders import ladder_of
from gradaudit.pipeline.config.solving import SolverEntry
from gradaudit.pipeline.config.study import Study
from gradaudit.pipeline.names import check_known
from gradaudit.records.catalogue import AUTO, catalogue
from gradaudit.records.tools import TOOLS
from gradaudit.sensitivity.external.requirements import check_installed

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}\Z")
_PATH = re.compile(r"[^\x00-\x1f\x7f{}<>*?\[\]\\]+\Z")


def check_names(study: Study) -> None:
    """Check models, solvers, methods, functionals and tolerances.

    Raises
    ------
    SettingError
        For a name that does not exist or cannot be that of a file, a method whose package is not
        installed, two models of one name, a password in an address, a model without solver, or
        tolerances in the wrong order.
    """
    check_address(study.tracking.uri)
    _check_file_names(study)
    specs = model_specs(study)
    for spec in specs.values():
        if not _PATH.match(spec):
            raise SettingError(
                f"models: the path {spec!r} cannot be that of an input of the workflow; leave out "
                "control characters, backslashes and the characters {}<>*?[]."
            )
    _check_problems(study)
    _check_published(study, list(specs))
    for key in study.solvers:
        _no_auto([base_solver(study, key)], f"solvers.{key}")
        check_known("solver", [base_solver(study, key)], where=f"solvers.{key}")
    for name, part in (("experiment", study.experiment), ("sweep", study.sweep)):
        if part.models:
            _no_auto([part.solver], f"{name}.solver")
            check_known("solver", [part.solver], where=f"{name}.solver")
    _check_methods(study)
    check_known("functional", study.functionals.kinds, where="functionals.kinds")
    for key in study.solvers:
        ladder_of(study, key)
    _check_entries(study)


def _check_file_names(study: Study) -> None:
    """Check what becomes a name of files; the keys of models are checked with their files.

    Snakemake would take braces for wildcards, and a slash for a folder.
    """
    for key in study.solvers:
        if not _KEY.match(key):
            raise SettingError(
                f"solvers: the key {key!r} becomes the name of files; it must be made of at most "
                "100 letters, digits, '_', '-', '+' and '.', and begin with a letter or a digit. "
                "Rename it, and name the solver by its key solver, as in "
                "my_tsit5: {solver: tsit5}."
            )
    alike = _equal_but_for_case(study.solvers)
    if alike:
        raise SettingError(
            f"solvers: the keys {alike[0]!r} and {alike[1]!r} become names of files, and some "
            "systems take capitals and small letters for the same; rename one of them."
        )
    if not _PATH.match(study.results):
        raise SettingError(
            f"results: {study.results!r} cannot be the name of a folder of results; leave out "
            "control characters, backslashes and the characters {}<>*?[]."
        )


def _equal_but_for_case(names: Iterable[str]) -> tuple[str, str] | None:
    seen: dict[str, str] = {}
    for name in names:
        if seen.setdefault(name.lower(), name) != name:
            return seen[name.lower()], name
    return None


def _check_problems(study: Study) -> None:
    """Check where the problems are, and how they are solved."""
    if not study.models:
        raise SettingError(
            "models: there is none, and no folder of estimation problems; name a model, such as "
            "logistic, the YAML file of a problem in PEtab, or a folder in problems.folder."
        )
    for where, models in (("experiment", study.experiment.models), ("sweep", study.sweep.models)):
        for entry in filter(is_problem, models):
            raise SettingError(f"{where}.models: {entry!r} is an estimation problem, no model.")
    for where in ("fits", "checked"):
        for entry in getattr(study.problems, where):
            if not is_problem(entry):
                raise SettingError(
                    f"problems.{where}: {entry!r} is no estimation problem of the study; name its "
                    ".yaml file."
                )
    _no_auto(study.problems.solvers, "problems.solvers")
    check_known("solver", study.problems.solvers, where="problems.solvers")
    check_known("method", study.problems.methods, where="problems.methods")
    names = [tool.name for tool in TOOLS]
    check_known("tool", study.problems.tools, names, where="problems.tools")


def _no_auto(solvers: Iterable[str], where: str) -> None:
    """The solver of a result is in its settings, and known before any model is read."""
    if AUTO in solvers:
        raise SettingError(
            f"{where}: {AUTO!r} is not for a study, whose results have the solver in their names "
            "and settings before a model is read; name tsit5 or rodas5p, of which gradaudit audit "
            "MODEL --solvers auto says the one that suits."
        )


def _check_published(study: Study, models: list[str]) -> None:
    """Check the models that a published norm is given for: those of the study or of the library."""
    for key in study.experiment.published_norms:
        if key not in models:
            where = "experiment.published_norms"
            check_known("model", [key], [*models, *library_names()], where=where)


def _check_methods(study: Study) -> None:
    parts: dict[str, Study | SolverEntry] = {"": study}
    parts |= {f"solvers.{key}.": entry for key, entry in study.solvers.items()}
    for prefix, part in parts.items():
        for name in ("methods", "estimate"):
            check_known("method", getattr(part, name) or [], where=f"{prefix}{name}")
        check_installed(part.methods or [])


def _check_entries(study: Study) -> None:
    """Check the entries of `solvers` that are not a solver as it is."""
    models = keys_of(entry for entry in study.models if not is_problem(entry))
    for key, entry in study.solvers.items():
        check_known("model", keys_of(entry.models or []), models, where=f"solvers.{key}.models")
        adaptive = catalogue("solvers")[base_solver(study, key)].adaptive
        if not adaptive and entry.steps is None:
            raise SettingError(
                f"solvers.{key}: this solver takes equal steps only; say how many it is to take at "
                "the loosest tolerance, for example steps: 100."
            )
    solvers_for = choice_of_solvers(study)
    for model in models:
        if not solvers_for(model):
            raise SettingError(f"solvers: no entry is for the model {model!r}; add one.")
