"""Stage: the skill of indicators and trust scores on mechanisms that are left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from gradaudit.analysis.calibration.fitting import fit, usable
from gradaudit.analysis.calibration.kinds import by_kind
from gradaudit.analysis.calibration.score import FEATURES
from gradaudit.analysis.calibration.skill import calibration, fooled, held_out, skill
from gradaudit.records.files import read_table, write_json, write_table
from gradaudit.records.stage import Output, Stage

STAGE = Stage(
    about="which indicators detect a bad gradient without a reference",
    inputs={"audits": "atlas.audits"},
    outputs={
        "skills": Output("trust/skill.parquet", "Parquet table: one row per indicator or score"),
        "predictions": Output(
            "trust/predictions.parquet", "Parquet table: scores on mechanisms left out"
        ),
        "calibrations": Output(
            "trust/calibration.parquet", "Parquet table: how often an interval holds"
        ),
        "misses": Output("trust/fooled.parquet", "Parquet table: bad gradients without alarm"),
        "kinds": Output("trust/kinds.parquet", "Parquet table: scores by kind of solve"),
        "scores": Output("trust/scores.json", "JSON file: the scores"),
    },
)


def run(
    *,
    audits: Path,
    settings: dict[str, Any],
    skills: Path,
    predictions: Path,
    calibrations: Path,
    misses: Path,
    kinds: Path,
    scores: Path,
) -> None:
    """Write the skill of indicators and scores, and the scores themselves.

    Parameters
    ----------
    audits
        Table of stage atlas.
    settings
        ``good``: errors above it are to be warned of.
    skills, predictions, calibrations, misses
        Tables of `gradaudit.analysis.calibration.skill`.
    kinds
        That of `gradaudit.analysis.calibration.kinds`.
    scores
        JSON file of the scores fitted to all mechanisms.
    """
    rows, bound = read_table(audits), settings["good"]
    estimates = held_out(rows, bound)
    written = {
        skills: skill(rows, estimates, bound),
        predictions: estimates,
        calibrations: calibration(estimates),
        misses: fooled(estimates, bound),
        kinds: by_kind(rows, estimates, bound),
    }
    for path, table in written.items():
        write_table(table, path, stage="trust", settings=settings)
    write_json(fitted(rows, bound), scores, stage="trust", settings=settings, nan=True)


def fitted(audits: pd.DataFrame, bound: float) -> dict[str, Any]:
    """The scores fitted to all mechanisms, with what they were fitted to, as plain data."""
    rows = usable(audits)
    scores = [fit(rows, name, bound).as_dict() for name in FEATURES] if len(rows) else []
    return {
        "bound": bound,
        "gradients": len(rows),
        "models": int(rows["model"].nunique()),
        "mechanisms": int(rows["mechanism"].nunique()),
        "scores": scores,
    }
