"""Sections of what is shown and kept: figures, report, tracking."""

from __future__ import annotations

from typing import Annotated

from gradaudit.pipeline.config.fields import FIGURES, Section, Text, Whole, key


class Figures(Section):
    """How figures look."""

    palette: Annotated[Text, key("a palette of seaborn", read_by=FIGURES)] = "colorblind"
    dpi: Annotated[
        Whole, key("resolution", unit="dots per inch", read_by=FIGURES, ge=30, le=600)
    ] = 150


class Report(Section):
    """The report."""

    title: Annotated[str, key("its title", read_by=("report",))] = (
        "Where forward-mode gradients can be trusted"
    )


class Tracking(Section):
    """Where MLflow keeps the runs."""

    uri: Annotated[
        str,
        key(
            "address of a server or store, without a password; empty for a SQLite file under the "
            "results",
            read_by=("track",),
        ),
    ] = ""
    artifacts: Annotated[
        str,
        key(
            "folder or address where a server or database keeps tables and figures, set when the "
            "experiment is made; empty: what the server says, or `mlflow/artifacts` under the "
            "results for a database",
            read_by=("track",),
        ),
    ] = ""
    experiment: Annotated[Text, key("name of the MLflow experiment", read_by=("track",))] = (
        "gradaudit"
    )
