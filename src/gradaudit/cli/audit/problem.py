"""`gradaudit audit problem.yaml`: an estimation problem in the terminal.

The certified gradient comes first, then the settings, one solver after another in this process.
"""

from __future__ import annotations

import math
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradaudit.cli.audit.run import check_errors, configure
from gradaudit.cli.audit.tried import METHOD, TODAY, exit_code
from gradaudit.errors import ModelWarning, ProblemError
from gradaudit.pipeline.config import Study, ladder_of
from gradaudit.records.catalogue import catalogue

if TYPE_CHECKING:
    from gradaudit.cli.audit.problem_card import ProblemAudit
    from gradaudit.problem.certified import ReferenceGradient
    from gradaudit.problem.definition import Problem

SUFFIXES = (".yaml", ".yml")
SOLVERS = ("tsit5", "kvaerno5")
METHODS = (METHOD, "forward_sensitivity")
FOR_EVENTS = "saltation"
TIGHTEST = 1e-12
TIGHTEST_IMPLICIT = 1e-9  # an implicit solver takes 1.6 times the steps per decade
STEPS_OF_IMPLICIT = 10  # a step of an implicit solver takes so many times as long, or longer
TABLE_SECONDS = 120.0
DIGITS = 10.0


def is_problem(model: str) -> bool:
    """Whether an argument is the path of a problem, by its suffix."""
    return Path(model).suffix.lower() in SUFFIXES


def run(
    *,
    path: str,
    solvers: Sequence[str] | None,
    methods: Sequence[str] | None,
    loosest: float,
    tightest: float | None,
    per_decade: int,
    max_steps: int,
    time_limit: float,
    accuracy: float,
    output: Path | None,
    as_json: bool,
    as_table: bool,
    limit: float | None,
) -> int:
    """Audit a problem and print what came out; 0, or 1 where no gradient could be computed.

    With a `limit` the exit code is that of `gradaudit.cli.audit.tried.exit_code`.

    Raises
    ------
    GradauditError
        For an invalid problem or setting.
    """
    from gradaudit.cli.audit import problem_card, problem_view
    from gradaudit.problem.loading import load_problem

    check_errors({"--accuracy": accuracy, "--fail-above": limit})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ModelWarning)
        problem = load_problem(path)
    study = configure(
        solvers=SOLVERS if solvers is None else solvers,
        methods=_methods(problem) if methods is None else methods,
        tolerances={
            "loosest": loosest, "tightest": tightest or TIGHTEST, "per_decade": per_decade
        },
        max_steps=max_steps,
        time_limit=time_limit,
    )  # fmt: skip
    usual = solvers is None and tightest is None
    settings = {name: _settings(study, name, usual) for name in study.solvers}
    with warnings.catch_warnings(record=True) as more:
        warnings.simplefilter("always", ModelWarning)
        exact, reason = _reference(problem, time_limit)
        table, left_out, said = _table(problem, exact, settings, study)
    caught += more
    texts = [str(own.message) for own in caught if issubclass(own.category, ModelWarning)]
    for text in dict.fromkeys([*texts, *said]):
        print(f"gradaudit: warning: {text}", file=sys.stderr)
    audit = problem_card.ProblemAudit(
        problem=problem,
        exact=exact,
        reason=reason,
        accuracy=accuracy,
        good=study.verdict.good,
        horrible=study.verdict.horrible,
        table=table,
        left_out=left_out,
    )
    if output is not None:
        _keep(audit, output, study)
    if as_json:
        print(problem_view.as_json(audit))
    else:
        problem_view.show(audit, table=as_table)
    if not (table["status"] == "ok").any():
        return 1
    return 0 if limit is None or audit.answer == "not_integrated" else exit_code(audit.today, limit)


def _methods(problem: Problem) -> tuple[str, ...]:
    """Those of `METHODS`, and that for events where the model or a condition may have any."""
    from gradaudit.model.source_file import declares_events

    changes = any(own.changes for own in problem.conditions.values())
    return (*METHODS, FOR_EVENTS) if changes or declares_events(problem.sbml) else METHODS


def _settings(study: Study, solver: str, usual: bool) -> list[dict[str, Any]]:
    """Keywords of `gradaudit.sensitivities`, tolerances of a method from loose to tight."""
    implicit = catalogue("solvers")[solver].implicit
    limit = TIGHTEST_IMPLICIT if usual and implicit else 0.0
    steps = max(study.max_steps // STEPS_OF_IMPLICIT, 1) if implicit else study.max_steps
    return [
        {
            "solver": solver,
            "method": method,
            "rtol": rtol,
            "atol": study.atol_factor * rtol,
            "max_steps": steps,
        }
        for method in study.methods
        for rtol in ladder_of(study, solver)
        if rtol >= limit
    ]


def _reference(problem: Problem, time_limit: float) -> tuple[ReferenceGradient | None, str]:
    """The certified gradient, or why there is none."""
    from gradaudit.problem.certified import reference_gradient

    begin = time.perf_counter()
    try:
        exact = reference_gradient(problem, digits=DIGITS, time_limit=time_limit)
    except ProblemError as error:
        _tell(f"reference: refused, {time.perf_counter() - begin:.1f} s")
        return None, str(error)
    _tell(f"reference: {exact.status}, {time.perf_counter() - begin:.1f} s")
    return exact, ""


def _table(problem: Problem, exact: Any, settings: Any, study: Study) -> tuple[Any, int, list[str]]:
    """The table, how many settings were left out, and what was said of the solves."""
    from gradaudit.evaluation.verdict import Thresholds
    from gradaudit.problem.audit_table import audit_table
    from gradaudit.problem.ladder import ladders

    found: list[Any] = []
    left_out, solved = 0, False
    ends = time.perf_counter() + TABLE_SECONDS
    for number, (solver, own) in enumerate(settings.items()):
        begin = time.perf_counter()
        share = (ends - begin) / (len(settings) - number)
        first = min(own, key=lambda s: (s["method"] != METHOD, abs(math.log(s["rtol"] / TODAY))))
        result = ladders(
            problem, own, first=first, seconds=share, needed=not solved,
            report=lambda text, solver=solver: _tell(f"{solver}: {text}"),  # type: ignore[misc]
        )  # fmt: skip
        found += result.gradients
        solved |= any(one.setting == first and one.status == "ok" for one in result.gradients)
        left_out += len(result.left_out)
        taken = time.perf_counter() - begin
        _tell(f"{solver}: {len(result.gradients)} gradients, {taken:.1f} s")
    table = audit_table(found, exact, Thresholds.from_settings(study.verdict.model_dump()))
    said = list(dict.fromkeys(text for own in found for text in own.warnings))
    return table, left_out, said


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _keep(audit: ProblemAudit, output: Path, study: Study) -> None:
    from gradaudit.problem.document import digests
    from gradaudit.records.files import write_table

    settings = {
        "files": digests(audit.problem.path),
        "max_steps": study.max_steps,
        "verdict": study.verdict.model_dump(),
    }
    flat = audit.table.drop(columns=["conditions", "observables"])
    write_table(flat, output, stage="audit", settings=settings, model=audit.problem.name)
