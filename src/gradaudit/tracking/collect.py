"""Plans of all runs, from the files of the results."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from gradaudit.errors import MissingResultError
from gradaudit.records.files import read_dataset, read_provenance, read_table
from gradaudit.tracking.atlas import atlas_plan
from gradaudit.tracking.ladders import COLOURS, ladder_plan
from gradaudit.tracking.models import model_facts, model_key, model_plan
from gradaudit.tracking.names import Steps
from gradaudit.tracking.plan import Artifact, DataSet, RunPlan
from gradaudit.tracking.problems import problem_plans
from gradaudit.tracking.published import published_plan
from gradaudit.tracking.tables import file_artifact
from gradaudit.tracking.usable import best_setting, counted


@dataclass(frozen=True, kw_only=True)
class Results:
    """Files to log; the key of a model is the stem of its files. There may be no verdicts."""

    tables: Sequence[Path]
    references: Sequence[Path]
    experiments: Sequence[Path]
    verdicts: Path | None
    figures: Sequence[Path]
    problems: Sequence[Path] = ()


def collect(results: Results) -> Iterator[RunPlan]:
    """Plans one by one, parents first; a model's files are read when its turn comes.

    Raises
    ------
    MissingResultError
        If a file, or the reference of a model, is missing.
    """
    tables = {path.stem: path for path in sorted(results.tables)}
    references = {path.stem: path for path in results.references}
    experiments = {path.stem: path for path in sorted(results.experiments)}
    problems = {path.stem: path for path in sorted(results.problems)}
    steps = Steps(_tolerances([*tables.values(), *experiments.values(), *problems.values()]))
    figures = _figures_by_model(results.figures, {*tables, *experiments})
    for model, path in tables.items():
        if model not in references:
            raise MissingResultError(
                f"The reference of model {model} is missing: run stage reference for it first."
            )
        audit = [
            figure
            for figure in figures[model]
            if model not in experiments or not _is_published(figure)
        ]
        yield from _model(model, path, references[model], audit, steps)
    for model, path in experiments.items():
        mine = [figure for figure in figures[model] if _is_published(figure)]
        yield published_plan(
            read_table(path),
            model=model,
            parent=model_key(model) if model in tables else "",
            steps=steps,
            provenance=_provenance_tags(path),
            artifacts=_files(path, mine),
        )
    for model, path in problems.items():
        yield from problem_plans(
            read_table(path),
            model=model,
            steps=steps,
            provenance=_provenance_tags(path),
            artifacts=_files(path, []),
        )
    # The user interface lists the newest run first.
    if results.verdicts is not None:
        yield _atlas(results.verdicts, figures[""])


def _model(
    model: str, path: Path, reference: Path, figures: list[Path], steps: Steps
) -> Iterator[RunPlan]:
    table = read_table(path)
    exact = read_dataset(reference)
    certified = {str(name): value for name, value in exact.attrs.items()}
    data = DataSet(
        name=f"reference of {model}",
        digest=_digest(exact),
        file=f"{reference.parent.name}/{reference.name}",
    )
    provenance = _provenance_tags(path)
    best = best_setting(table)
    functionals = counted(table)
    yield model_plan(
        table,
        model=model,
        best=best,
        reference=certified,
        steps=steps,
        provenance=provenance,
        artifacts=_files(path, figures),
        data=data,
    )
    settings = table.groupby(["solver", "method"], sort=True)
    for (setting, rows), colour in zip(settings, itertools.cycle(COLOURS), strict=False):
        yield ladder_plan(
            rows,
            model=model,
            parent=model_key(model),
            functionals=functionals,
            best=best is not None and setting == best[:2],
            steps=steps,
            facts=model_facts(certified),
            provenance=provenance,
            data=data,
            colour=colour,
        )


def _digest(exact: xr.Dataset) -> str:
    """Of the arrays of a reference, whenever and wherever their file was written."""
    digest = hashlib.sha256()
    for name in sorted(map(str, exact.data_vars)):
        digest.update(name.encode() + np.ascontiguousarray(exact[name].values).tobytes())
    return digest.hexdigest()[:16]


def _atlas(verdicts: Path, figures: list[Path]) -> RunPlan:
    return atlas_plan(
        read_table(verdicts),
        provenance=_provenance_tags(verdicts),
        artifacts=_files(verdicts, figures),
    )


def _tolerances(tables: Iterable[Path]) -> set[float]:
    tolerances: set[float] = set()
    for path in tables:
        if not path.is_file():
            raise MissingResultError(f"{path} does not exist: run the stage that writes it first.")
        tolerances.update(pd.read_parquet(path, columns=["rtol"])["rtol"])
    return tolerances


def _figures_by_model(figures: Sequence[Path], models: set[str]) -> dict[str, list[Path]]:
    """Figures by the model that ends their name, the longest that fits; "" for the atlas."""
    by_model: dict[str, list[Path]] = {model: [] for model in ("", *models)}
    for path in sorted(figures):
        fitting = [model for model in models if re.search(rf"_{re.escape(model)}$", path.stem)]
        by_model[max(fitting, key=len, default="")].append(path)
    return by_model


def _is_published(figure: Path) -> bool:
    return figure.stem.startswith("experiment")


def _files(table: Path, figures: list[Path]) -> tuple[Artifact, ...]:
    return (
        file_artifact(table, "table"),
        *(file_artifact(figure, "figures") for figure in figures),
    )


def _provenance_tags(path: Path) -> dict[str, str]:
    return {f"provenance.{name}": value for name, value in read_provenance(path).items()}
