"""`gradaudit audit`: one model in the terminal, by the stages of the workflow.

The reference and the solvers run side by side, since compiling takes longer than solving and they
do not need each other; one setting with its estimate comes before them, for a first answer. Times
of solves are those of one thread each.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradaudit.cli.audit.default_estimate import (
    estimate_job,
    first_look,
    missing_estimate,
    with_estimates,
)
from gradaudit.cli.audit.job import Job, JobOutcome
from gradaudit.cli.audit.jobs import cores, leave_out_current_folder, run_jobs
from gradaudit.cli.audit.preliminary import Preliminary
from gradaudit.cli.audit.progress import Progress
from gradaudit.cli.audit.tried import told_exit_code
from gradaudit.cli.said import say
from gradaudit.errors import ModelWarning, SettingError
from gradaudit.pipeline import temporary
from gradaudit.pipeline.config import Study, ladder, ladder_of, settings_of, study_of
from gradaudit.pipeline.names import check_known
from gradaudit.records.catalogue import AUTO, catalogue
from gradaudit.sensitivity.external.requirements import check_installed

if TYPE_CHECKING:
    import pandas as pd

    from gradaudit.cli.audit.view import Audit, ReferenceSummary
    from gradaudit.model.definition import Model
    from gradaudit.sensitivity.solver_choice import Look

REFERENCE, VIEW = "reference", "gradaudit.cli.audit.view"
AUDITED_TO = {name: s.audited_to for name, s in catalogue("solvers").items()}
SOLVERS = tuple(name for name, tightest in AUDITED_TO.items() if tightest is not None)
"""Those audited by default."""

LIMITED = {name: tightest for name, tightest in AUDITED_TO.items() if tightest}
"""Their tightest tolerance, if it is not that of the command."""

EPSILON = 2.0**-52
USUAL = Study()  # of what an audit does not set
Finish = Callable[["pd.DataFrame", str], int]
"""From the rows of an audit and the name of the model to an exit code."""


def run(
    *,
    model: str,
    solvers: Sequence[str] | None,
    methods: Sequence[str] | None,
    loosest: float,
    tightest: float,
    per_decade: int,
    atol_factor: float,
    max_steps: int,
    time_limit: float,
    accuracy: float,
    functional: str | None,
    workers: int | None,
    cache_folder: Path | None,
    output: Path | None,
    as_json: bool,
    as_table: bool,
    limit: float | None,
    finish: Finish | None = None,
) -> int:
    """Audit a model and print what came out; 0, or 1 where no solve succeeded.

    With a `limit` the exit code is that of `gradaudit.cli.audit.tried.exit_code`. What `finish`
    makes of the rows takes the place of the output, and of the exit code.

    Raises
    ------
    GradauditError
        For an invalid model or setting.
    """
    check_errors({"--accuracy": accuracy, "--fail-above": limit})
    usual = default_methods(model)
    study = configure(
        solvers=without_auto(solvers, partial(_suitable, model)),
        methods=usual if methods is None else methods,
        tolerances={"loosest": loosest, "tightest": tightest, "per_decade": per_decade},
        atol_factor=atol_factor,
        max_steps=max_steps,
        time_limit=time_limit,
    )
    if functional is not None:
        from gradaudit.cli.audit.functional_name import check_functional

        check_functional(_loaded(model), functional, study.functionals.kinds)
    with temporary.folder() as folder:
        jobs = _jobs(model, study, folder, cache_folder)
        leave_out_current_folder()
        words = Preliminary(
            jobs,
            REFERENCE,
            partial(_collect, folder, study),
            USUAL.verdict.good,
            USUAL.verdict.horrible,
        )
        with Progress(words) as progress:
            outcomes = run_jobs(
                jobs,
                workers=workers or cores(),
                progress=progress,
                then_import="gradaudit.cli.audit.table",
            )
            table, truth, described = _collect(folder, study, outcomes)
            row = None if finish is not None else missing_estimate(table)
            if row is not None:
                progress.words = None  # the card follows
                job = estimate_job(row, model=model, study=study, folder=folder, cache=cache_folder)
                run_jobs([job], workers=1, progress=progress, then_import=VIEW)
                table, truth, described = _collect(folder, study, outcomes)
    if output is not None:
        from gradaudit.records.files import write_table

        settings = json.loads(settings_of("evaluate", study))
        write_table(table, output, stage="audit", settings=settings)
    ended = {label: outcomes[label] for label in (REFERENCE, *study.solvers)}
    # A process warns of a model once, which may be in the first look.
    warned = tuple(dict.fromkeys(text for own in outcomes.values() for text in own.warnings))
    audit = _audit(model, described, table, truth, ended, accuracy, functional)
    audit = replace(audit, warnings=warned)
    if finish is not None:
        return finish(audit.rows, audit.name)
    _tell(audit, as_json, as_table)
    if audit.rows.empty or not (audit.rows["status"] == "ok").any():
        return 1
    return 0 if limit is None else told_exit_code(audit.today, limit)


def check_errors(given: Mapping[str, float | None]) -> None:
    """Check the errors that options name; None is one that was not given.

    Raises
    ------
    SettingError
        If one is no positive number.
    """
    for option, value in given.items():
        if value is not None and not (math.isfinite(value) and value > 0.0):
            raise SettingError(f"{option} is {value!r}; write a positive error such as 1e-4.")


def without_auto(solvers: Sequence[str] | None, look: Callable[[], Look]) -> Sequence[str] | None:
    """The solvers with the one that suits in place of "auto", which is told on stderr."""
    if solvers is None or AUTO not in solvers:
        return solvers
    found = look()
    print(f"gradaudit: solver {AUTO}: {found.solver}, {found.why}", file=sys.stderr)
    return list(dict.fromkeys(found.solver if name == AUTO else name for name in solvers))


def _suitable(model: str) -> Look:
    from gradaudit.sensitivity.solver_choice import suitable_solver

    return suitable_solver(_loaded(model))


def _loaded(model: str) -> Model:
    """The model in this process: what it prints and warns of is left to those that solve it."""
    from gradaudit.model.loading import load_model

    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)
        return load_model(model)


def configure(
    *,
    solvers: Sequence[str] | None,
    methods: Sequence[str],
    tolerances: Mapping[str, Any],
    atol_factor: float = USUAL.atol_factor,
    max_steps: int = USUAL.max_steps,
    time_limit: float = USUAL.reference.time_limit_s,
) -> Study:
    """The configuration of an audit; `solvers` None stands for `SOLVERS` with their limits.

    Raises
    ------
    SettingError
        For unknown names and invalid numbers.
    """
    chosen = {name: {} for name in solvers} if solvers is not None else _limited(tolerances)
    check_known("solver", chosen)
    chosen = _one_estimate(chosen)
    check_known("method", methods)
    check_installed(methods)
    for name in ("loosest", "tightest"):
        if 0.0 < tolerances[name] < EPSILON:
            raise SettingError(
                f"tolerances: {name} ({tolerances[name]:g}) is finer than float64 resolves "
                "(2.2e-16); take one of 1e-13 or more."
            )
    if max_steps < 1 or not time_limit > 0.0:
        raise SettingError(
            f"max_steps ({max_steps}) and the reference's time limit ({time_limit:g} s) must be "
            "positive."
        )
    if not atol_factor > 0.0:
        raise SettingError(f"--atol-factor is {atol_factor:g}; it must be positive.")
    ladder(**tolerances)
    study = study_of(
        {
            "solvers": chosen,
            "methods": list(methods),
            "tolerances": dict(tolerances),
            "atol_factor": atol_factor,
            "max_steps": max_steps,
            "reference": {"time_limit_s": time_limit},
        }
    )
    for solver in chosen:
        ladder_of(study, solver)
    return study


def _one_estimate(chosen: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """One solver carries an estimate of its error along, for that is a second program to compile.

    It is the first explicit one, or else the first.
    """
    known = catalogue("solvers")
    one = min(chosen, key=lambda name: known[name].implicit, default="")
    return {
        name: entry if name == one else {**entry, "estimate": []} for name, entry in chosen.items()
    }


def _limited(tolerances: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    loosest, tightest = tolerances["loosest"], tolerances["tightest"]
    return {
        name: {"tolerances": {"tightest": max(tightest, min(loosest, LIMITED[name]))}}
        if name in LIMITED
        else {}
        for name in SOLVERS
    }


def default_methods(model: str) -> list[str]:
    """Those of the configuration, without those for events where the model declares none.

    Raises
    ------
    ModelError
        If there is no such model; raised before anything starts.
    """
    from gradaudit.model.loading import model_path
    from gradaudit.model.source_file import declares_events

    events, known = declares_events(model_path(model)), catalogue("methods")
    return [name for name in USUAL.methods if events or not known[name].same_without_events]


def _jobs(model: str, study: Study, folder: Path, cache: Path | None) -> list[Job]:
    def arguments(stage: str, label: str, **others: Any) -> dict[str, Any]:
        settings = json.loads(settings_of(stage, study, solver=label))
        return {"model": model, "settings": settings, "output": folder / f"{label}.nc"} | others

    def of_solver(name: str) -> dict[str, Any]:
        found = arguments("gradients", name, solver=name)
        return found | {"settings": found["settings"] | {"probed": False}}

    known = catalogue("solvers")
    # Implicit ones, and one that carries an estimate along, take longest, so they begin.
    quick = [n for n, own in study.solvers.items() if not known[n].implicit and own.estimate == []]
    order = [*(name for name in study.solvers if name not in quick), *quick]
    solves = [
        Job(
            label=solver,
            stage="gradients",
            arguments=of_solver(solver),
            cache=cache,
            solves=len(study.methods) * len(ladder_of(study, solver)),
        )
        for solver in order
    ]
    reference = Job(
        label=REFERENCE,
        stage=REFERENCE,
        arguments=arguments(REFERENCE, REFERENCE),
        cache=cache,
        optional=True,
    )
    look = first_look(model=model, study=study, folder=folder, cache=cache)
    return [*look, reference, *solves]


def _collect(
    folder: Path, study: Study, outcomes: Mapping[str, JobOutcome]
) -> tuple[pd.DataFrame, ReferenceSummary, dict[str, Any]]:
    """The table, what it was measured against, and the description of the model, if known."""
    import numpy as np

    from gradaudit.cli.audit.table import estimated, estimates_in_unit, judged, unjudged
    from gradaudit.cli.audit.view import ReferenceSummary
    from gradaudit.evaluation.audit_table import evaluate
    from gradaudit.records.files import read_dataset

    solved = [s for s in study.solvers if outcomes[s].ok]
    gradients = with_estimates([read_dataset(folder / f"{solver}.nc") for solver in solved], folder)
    model = json.loads(gradients[0].attrs["model_json"]) if gradients else {}
    settings = json.loads(settings_of("evaluate", study))
    if not outcomes[REFERENCE].ok:
        truth = ReferenceSummary(status="none", reason=outcomes[REFERENCE].message)
        return estimated(gradients, settings), truth, model
    reference = read_dataset(folder / f"{REFERENCE}.nc")
    digits = min(float(reference.attrs["digits"]), float(reference.attrs["integral_digits"]))
    truth = ReferenceSummary(status=str(reference.attrs["status"]), digits=digits)
    if not gradients:
        return unjudged([]), truth, model
    if not np.isfinite(reference["states"].values).all():  # of which nothing can be computed
        return estimated(gradients, settings), truth, model
    table = estimates_in_unit(evaluate(reference, gradients, settings), settings)
    return judged(table, digits=digits, verdict=settings["verdict"]), truth, model


def _audit(
    model: str,
    described: Mapping[str, Any],
    table: pd.DataFrame,
    truth: ReferenceSummary,
    outcomes: Mapping[str, JobOutcome],
    accuracy: float,
    functional: str | None,
) -> Audit:
    from gradaudit.cli.audit.table import UNKNOWN, cheapest, worst
    from gradaudit.cli.audit.view import Audit, model_size

    if functional is not None and table["functional"].any():
        known = sorted(table["functional"].unique())
        check_known("functional", [functional], known)
        table = table[table["functional"] == functional]
    rows = worst(table)
    failures = {s: o.message for s, o in outcomes.items() if s != REFERENCE and not o.ok}
    if rows.empty:
        setting, reason = None, "no solver could be run"
    else:
        setting, reason = cheapest(rows, accuracy)
    solved = rows if rows.empty else rows[rows["status"] == "ok"]
    if setting is None and not solved.empty and (solved["verdict"] == UNKNOWN).any():
        reason = "the reference has too few digits"
        if truth.status == "none":
            reason = "there is no reference"
    return Audit(
        model=model,
        name=described["name"] if described else model,
        size=model_size(described) if described else "",
        accuracy=accuracy,
        truth=truth,
        rows=rows,
        table=table,
        good=USUAL.verdict.good,
        horrible=USUAL.verdict.horrible,
        cheapest=setting,
        reason=reason,
        failures=failures,
    )


def _tell(audit: Audit, as_json: bool, as_table: bool) -> None:
    from gradaudit.cli.audit import view

    for text in audit.warnings:
        say(f"gradaudit: warning: {text}")
    for solver, text in audit.failures.items():
        print(f"gradaudit: {solver} could not be run: {text}", file=sys.stderr)
    if as_json:
        print(view.as_json(audit))
    else:
        view.show(audit, table=as_table)
