"""Stage: the certified gradients of an estimation problem, at the nominal and at drawn points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gradaudit.errors import ProblemError
from gradaudit.model.spec import digest_of, key_of
from gradaudit.pipeline.progress import Report, to_stderr
from gradaudit.problem.certificate import as_dataset, certificates, without_problem
from gradaudit.problem.document import SCHEMA, told
from gradaudit.problem.document import document as content_of
from gradaudit.problem.loading import load_problem
from gradaudit.problem.points import NOMINAL
from gradaudit.records.files import write_dataset, write_json
from gradaudit.records.stage import Output, Stage

STAGE = Stage(
    about="the certified gradients of an estimation problem",
    each=("model",),
    problems=True,
    process="solving",
    outputs={
        "output": Output("certified/{model}.nc", "netCDF file of all that is certified"),
        "document": Output("certified/{model}.json", "JSON document, see docs/certified.md"),
    },
)


def run(
    *,
    model: str,
    settings: dict[str, Any],
    output: Path,
    document: Path,
    report: Report = to_stderr,
) -> None:
    """Certify the gradient at the nominal parameters and at points drawn within the bounds.

    A problem that cannot be read does not stop those beside it: both files say why.

    Parameters
    ----------
    settings
        ``certified_digits``, ``certified_s``, ``drawn``, ``seed``.
    output, document
        netCDF file for later stages, and the document for other tools.
    """
    of = {"model": key_of(model), "model_file": digest_of(model)}
    try:
        problem = load_problem(model)
    except ProblemError as error:
        report(1.0, f"{of['model']}: refused: {error}")
        refused = {"problem": of["model"], "status": f"refused: {error}", "points": {}}
        write_json(
            {"schema": SCHEMA, **refused},
            document,
            stage="certificate",
            settings=settings,
            model=of["model"],
            model_file=of["model_file"],
        )
        unread = without_problem(of["model"], str(error))
        write_dataset(unread, output, stage="certificate", settings=settings, **of)
        return
    found, fisher = {}, None
    for name, own, information in certificates(
        problem,
        drawn=settings["drawn"],
        seed=settings["seed"],
        digits=settings["certified_digits"],
        time_limit=settings["certified_s"],
    ):
        found[name] = own
        fisher = information if name == NOMINAL else fisher
        report(0.0, f"{of['model']}, {told(name, own)}")
    content = content_of(problem, found, settings["seed"])
    write_json(
        content,
        document,
        stage="certificate",
        settings=settings,
        model=of["model"],
        model_file=of["model_file"],
    )
    write_dataset(
        as_dataset(problem, found, fisher), output, stage="certificate", settings=settings, **of
    )
