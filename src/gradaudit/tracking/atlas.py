"""The run of the atlas: every model's verdicts together, with the figures that compare them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from gradaudit.records.labels import VERDICTS
from gradaudit.tracking.plan import NOTE, TAG_LENGTH, Artifact, RunPlan, readings, texts
from gradaudit.tracking.tables import (
    csv_artifact,
    markdown_table,
    meaningful,
    sentence_of_counts,
    verdict_counts,
    worst,
)


def atlas_plan(
    verdicts: pd.DataFrame, *, provenance: Mapping[str, str], artifacts: tuple[Artifact, ...]
) -> RunPlan:
    """The run named "atlas", beside the models' runs."""
    every, verdicts = verdicts, meaningful(verdicts)
    counts = verdict_counts(verdicts["verdict"])
    return RunPlan(
        key="atlas",
        name="atlas",
        params=texts(
            {
                name + "s": verdicts[name].nunique()
                for name in ("model", "solver", "method", "functional")
            },
            length=TAG_LENGTH,
        ),
        tags=texts(
            {
                "kind": "atlas",
                "verdict": worst(verdicts["verdict"]),
                NOTE: _note(verdicts, left_out=len(every) - len(verdicts)),
                **provenance,
            },
            length=TAG_LENGTH,
        ),
        readings=readings((f"ladders_{word}", 0, count) for word, count in counts.items()),
        artifacts=(
            *artifacts,
            csv_artifact(every, "table/verdicts.csv"),
            csv_artifact(_count(verdicts, ["model", "method"]), "table/models.csv"),
        ),
    )


def _note(verdicts: pd.DataFrame, *, left_out: int) -> str:
    return "\n\n".join(
        [
            f"**Atlas**: {verdicts['model'].nunique()} models. "
            f"{sentence_of_counts(verdict_counts(verdicts['verdict']), left_out)}. A series is "
            "judged over all its tolerances.",
            "By expected regime and mechanism of the model:",
            markdown_table(_count(verdicts, ["regime", "mechanism"])),
            "By method:",
            markdown_table(_count(verdicts, ["method"])),
        ]
    )


def _count(verdicts: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    known = verdicts.assign(**{name: verdicts[name].fillna("").astype(str) for name in by})
    counts = known.groupby(by, sort=True)["verdict"].value_counts().unstack(fill_value=0)
    return counts.reindex(columns=list(VERDICTS), fill_value=0).reset_index()
