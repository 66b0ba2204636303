"""Stage: log the results to MLflow, once and only once.

Running it again adds nothing; after the store was deleted it is built again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradaudit.pipeline.address import is_server, public_uri
from gradaudit.records.files import write_json
from gradaudit.records.stage import Output, Stage
from gradaudit.tracking.collect import Results, collect
from gradaudit.tracking.store import default_uri, opened
from gradaudit.tracking.sync import synchronise
from gradaudit.tracking.views import save_views

STAGE = Stage(
    about="log the results to MLflow",
    process="own",
    problems="both",
    inputs={
        "tables": "evaluate",
        "references": "reference",
        "experiments": "experiment",
        "problems": "problem",
        "verdicts": "atlas.verdicts",
        "figures": "figures",
    },
    outputs={"output": Output("track/done.json", "JSON file: what was logged")},
)


def run(
    *,
    tables: Sequence[Path],
    references: Sequence[Path],
    experiments: Sequence[Path],
    problems: Sequence[Path] = (),
    verdicts: Path | None = None,
    figures: Sequence[Path],
    settings: dict[str, Any],
    output: Path,
) -> None:
    """Bring the store in line with the results, and write what it holds.

    Parameters
    ----------
    tables, references, experiments, problems, verdicts, figures
        Files of the stages evaluate, reference, experiment, problem, atlas and figures.
    settings
        ``uri`` (empty: SQLite in the folder ``store``), ``experiment``, ``artifacts``, and
        ``store`` (by default the folder ``mlflow`` beside that of `output`).
    output
        JSON file: the store, the digest of every run, what was added, replaced and skipped, and
        the pages of the prepared views.
    """
    folder = Path(settings.get("store") or output.parent.parent / "mlflow")
    uri = settings["uri"] or default_uri(folder)
    results = Results(
        tables=[path for path in tables if path.suffix == ".parquet"],
        references=references,
        experiments=[path for path in experiments if path.suffix == ".parquet"],
        problems=problems,
        verdicts=verdicts,
        figures=figures,
    )
    artifacts = settings.get("artifacts") or ("" if is_server(uri) else str(_beside(folder)))
    with opened(uri, settings["experiment"], artifacts) as (client, experiment):
        outcome = synchronise(client, experiment, collect(results))
        views = save_views(client, experiment, _models(results), problems=bool(results.problems))
    done = {
        "uri": public_uri(uri),
        "experiment": settings["experiment"],
        "runs": outcome.runs,
        "added": outcome.added,
        "replaced": outcome.replaced,
        "skipped": outcome.skipped,
        "views": views,
    }
    write_json(
        done, output, stage="track", settings={**settings, "uri": public_uri(settings["uri"])}
    )
    counts = (f"{len(done[name])} {name}" for name in ("added", "replaced", "skipped"))
    print(f"MLflow store {public_uri(uri)}: {', '.join(counts)}")


def _models(results: Results) -> list[str]:
    """Keys of the models, those of the published experiment first."""
    published = [path.stem for path in results.experiments]
    return list(dict.fromkeys([*published, *(path.stem for path in results.tables)]))


def _beside(folder: Path) -> Path:
    """Where a database that is elsewhere keeps its files: MLflow would take the current folder."""
    return folder.resolve() / "artifacts"
