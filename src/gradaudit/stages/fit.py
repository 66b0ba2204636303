"""Stage: what wrong gradients do to an optimiser, fits of a problem from the same starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradaudit.model.spec import digest_of, key_of
from gradaudit.pipeline.progress import Report, to_stderr
from gradaudit.problem.fitting import MOST_STEPS, first_that_works, fits, starts
from gradaudit.problem.loading import load_problem
from gradaudit.problem.usual import usual_settings
from gradaudit.records.files import write_table
from gradaudit.records.stage import Output, Stage

STAGE = Stage(
    about="fits of an estimation problem from the same starts, with gradients of several settings",
    each=("model",),
    models="problems.fits",
    problems=True,
    process="solving",
    outputs={"output": Output("fit/{model}.parquet", "Parquet table")},
)


def run(*, model: str, settings: dict[str, Any], output: Path, report: Report = to_stderr) -> None:
    """Write a row per start and setting.

    The solver is the first one whose tight setting has a result at the nominal parameters.

    Columns are those of `gradaudit.problem.fitting.fits`, beside `model`, `problem` and the names
    of the `parameters` (K,).

    Parameters
    ----------
    settings
        ``solvers``, ``atol_factor``, ``max_steps``, ``starts``, ``spread``, ``seed``,
        ``iterations``, ``fit_s``.
    output
        Parquet table.
    """
    of = {"model": key_of(model), "model_file": digest_of(model)}
    problem = load_problem(model)
    candidates = [
        [
            {**own, "max_steps": min(own["max_steps"], MOST_STEPS)}
            for own in usual_settings(
                problem,
                solver,
                atol_factor=settings["atol_factor"],
                max_steps=settings["max_steps"],
            )
        ]
        for solver in settings["solvers"]
    ]
    table = fits(
        problem,
        first_that_works(problem, candidates),
        starts(
            problem.parameters, settings["starts"], spread=settings["spread"], seed=settings["seed"]
        ),
        iterations=settings["iterations"],
        seconds=settings["fit_s"],
        tell=lambda done, text: report(done, f"{of['model']} {text}"),
    ).assign(model=of["model"], problem=of["model"])
    table["parameters"] = [list(problem.parameters.names)] * len(table)
    write_table(table, output, stage="fit", settings=settings, **of)
