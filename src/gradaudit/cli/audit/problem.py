"""`gradaudit audit problem.yaml`: an estimation problem in the terminal.

The certified gradient comes first, then the settings, one solver after another in this process.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradaudit.cli.audit.jobs import cores
from gradaudit.cli.audit.run import Finish, check_errors, configure, without_auto
from gradaudit.cli.audit.tried import told_exit_code
from gradaudit.cli.said import say
from gradaudit.pipeline.config import Study, ladder_of
from gradaudit.records.catalogue import catalogue

if TYPE_CHECKING:
    from gradaudit.cli.audit.problem_card import ProblemAudit
SOLVERS = ("tsit5", "rodas5p")
TIGHTEST = 1e-12
TIGHTEST_IMPLICIT = 1e-9  # an implicit solver takes 1.6 times the steps per decade
TABLE_SECONDS = 120.0
DIGITS = 10.0


def run(
    *,
    path: str,
    solvers: Sequence[str] | None,
    methods: Sequence[str] | None,
    loosest: float,
    tightest: float | None,
    per_decade: int,
    atol_factor: float,
    max_steps: int,
    time_limit: float,
    accuracy: float,
    workers: int | None,
    output: Path | None,
    as_json: bool,
    as_table: bool,
    limit: float | None,
    finish: Finish | None = None,
) -> int:
    """Audit a problem and print what came out; 0, or 1 where no gradient could be computed.

    With a `limit` the exit code is that of `gradaudit.cli.audit.tried.exit_code`. What `finish`
    makes of the rows takes the place of the output, and of the exit code.

    Raises
    ------
    GradauditError
        For an invalid problem or setting.
    """
    from gradaudit.cli.audit import problem_card, problem_view
    from gradaudit.evaluation.verdict import Thresholds
    from gradaudit.problem.audit import (
        audited,
        certified_with_metric,
        usual_methods,
        with_warnings,
    )
    from gradaudit.problem.loading import load_problem
    from gradaudit.problem.solver_choice import suitable_for

    check_errors({"--accuracy": accuracy, "--fail-above": limit})
    problem, texts = with_warnings(lambda: load_problem(path))
    study = configure(
        solvers=without_auto(
            SOLVERS if solvers is None else solvers, lambda: suitable_for(problem)
        ),
        methods=usual_methods(problem) if methods is None else methods,
        tolerances={
            "loosest": loosest, "tightest": tightest or TIGHTEST, "per_decade": per_decade
        },
        atol_factor=atol_factor,
        max_steps=max_steps,
        time_limit=time_limit,
    )  # fmt: skip
    usual = solvers is None and tightest is None
    settings = {name: _settings(study, name, usual) for name in study.solvers}
    (exact, metric, reason), more = with_warnings(
        lambda: certified_with_metric(
            problem,
            digits=DIGITS,
            time_limit=time_limit,
            processes=workers or cores(),
            tell=_tell,
        )
    )
    thresholds = Thresholds.from_settings(study.verdict.model_dump())
    found, others = with_warnings(
        lambda: audited(problem, exact, settings, thresholds, seconds=TABLE_SECONDS, tell=_tell)
    )
    for text in dict.fromkeys([*texts, *more, *others, *found.warnings]):
        say(f"gradaudit: warning: {text}")
    audit = problem_card.ProblemAudit(
        problem=problem,
        exact=exact,
        metric=metric,
        reason=reason,
        accuracy=accuracy,
        good=study.verdict.good,
        horrible=study.verdict.horrible,
        table=found.table,
        left_out=found.left_out,
    )
    if output is not None:
        _keep(audit, output, study)
    if finish is not None:
        return finish(audit.table, problem.name)
    if as_json:
        print(problem_view.as_json(audit))
    else:
        problem_view.show(audit, table=as_table)
    if not (found.table["status"] == "ok").any():
        return 1
    if limit is None or audit.answer == "not_integrated":
        return 0
    return told_exit_code(audit.today, limit)


def _settings(study: Study, solver: str, usual: bool) -> list[dict[str, Any]]:
    """Keywords of `gradaudit.sensitivities`, tolerances of a method from loose to tight."""
    from gradaudit.problem.audit import settings_of

    limit = TIGHTEST_IMPLICIT if usual and catalogue("solvers")[solver].implicit else 0.0
    return settings_of(
        solver,
        study.methods,
        [rtol for rtol in ladder_of(study, solver) if rtol >= limit],
        atol_factor=study.atol_factor,
        max_steps=study.max_steps,
    )


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _keep(audit: ProblemAudit, output: Path, study: Study) -> None:
    from gradaudit.model.spec import digests_of
    from gradaudit.records.files import write_table

    settings = {
        "files": digests_of(audit.problem.path),
        "max_steps": study.max_steps,
        "verdict": study.verdict.model_dump(),
    }
    flat = audit.table.drop(columns=["conditions", "observables"])
    write_table(flat, output, stage="audit", settings=settings, model=audit.problem.name)
