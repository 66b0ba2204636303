"""Checks of a configuration against the package and the disk: what a type cannot know."""

from __future__ import annotations

from gradaudit.errors import SettingError
from gradaudit.pipeline.config.choices import base_solver, keys_of, model_specs, solvers_for
from gradaudit.pipeline.config.ladders import ladder_of
from gradaudit.pipeline.config.solving import SolverEntry
from gradaudit.pipeline.config.study import Study
from gradaudit.pipeline.names import check_known
from gradaudit.records.catalogue import catalogue
from gradaudit.sensitivity.external.requirements import check_installed


def check_names(study: Study) -> None:
    """Check models, solvers, methods, functionals and tolerances.

    Raises
    ------
    SettingError
        For a name that does not exist, a method whose package is not installed, two models of one
        name, a model without solver, or tolerances in the wrong order.
    """
    model_specs(study)
    for key in study.solvers:
        check_known("solver", [base_solver(study, key)], where=f"solvers.{key}")
    for name, part in (("experiment", study.experiment), ("sweep", study.sweep)):
        if part.models:
            check_known("solver", [part.solver], where=f"{name}.solver")
    _check_methods(study)
    check_known("functional", study.functionals.kinds, where="functionals.kinds")
    for key in study.solvers:
        ladder_of(study, key)
    _check_entries(study)


def _check_methods(study: Study) -> None:
    parts: dict[str, Study | SolverEntry] = {"": study}
    parts |= {f"solvers.{key}.": entry for key, entry in study.solvers.items()}
    for prefix, part in parts.items():
        for name in ("methods", "estimate"):
            check_known("method", getattr(part, name) or [], where=f"{prefix}{name}")
        check_installed(part.methods or [])


def _check_entries(study: Study) -> None:
    """Check the entries of `solvers` that are not a solver as it is."""
    models = keys_of(study.models)
    for key, entry in study.solvers.items():
        check_known("model", keys_of(entry.models or []), models, where=f"solvers.{key}.models")
        adaptive = catalogue("solvers")[base_solver(study, key)].adaptive
        if not adaptive and entry.steps is None:
            raise SettingError(
                f"solvers.{key}: this solver takes equal steps only; say how many it is to take at "
                "the loosest tolerance, for example steps: 100."
            )
    for model in models:
        if not solvers_for(study, model):
            raise SettingError(f"solvers: no entry is for the model {model!r}; add one.")
