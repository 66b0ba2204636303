"""`gradaudit audit`: one model in the terminal, by the stages of the workflow."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from gradaudit import configuration
from gradaudit._imports import literal_keys
from gradaudit.defaults import DEFAULTS
from gradaudit.errors import SettingError

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = {
    "solver": "solver",
    "method": "method",
    "rtol": "rtol",
    "status": "status",
    "functional": "worst functional",
    "error": "error",
    "dominant": "by",
    "verdict": "verdict",
    "steps": "steps",
    "seconds": "s",
}
_STYLES = {"good": "green", "bad": "yellow", "horrible": "red"}


def run(
    *,
    model: str,
    solvers: Sequence[str],
    methods: Sequence[str],
    loosest: float,
    tightest: float,
    per_decade: int,
    functional: str | None,
    accuracies: Sequence[float],
    output: Path | None,
) -> None:
    """Audit a model, print what came out, and keep the table where `output` names a file."""
    config = {
        **DEFAULTS,
        "solvers": {solver: {} for solver in solvers},
        "methods": list(methods),
        "tolerances": {"loosest": loosest, "tightest": tightest, "per_decade": per_decade},
    }
    _check(solvers, methods)
    table, attributes = audit(model, config)
    if output is not None:
        from gradaudit.io import write_table

        write_table(table, output, stage="audit", settings=_settings("evaluate", config))
    if functional is not None:
        known = sorted(table["functional"].unique())
        if functional not in known:
            raise SettingError(
                f"unknown functional {functional!r}; this model has {', '.join(known)}."
            )
        table = table[table["functional"] == functional]
    _show(worst(table), attributes, accuracies)


def audit(model: str, config: Mapping[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The table of stage evaluate for one model, and the attributes of its reference."""
    from gradaudit.io import read_dataset, read_table
    from gradaudit.stages import evaluate, gradients, reference

    with TemporaryDirectory(prefix="gradaudit-") as name:
        folder = Path(name)
        certified, table = folder / "reference.nc", folder / "table.parquet"
        reference.run(model=model, settings=_settings("reference", config), output=certified)
        solved = []
        for solver in config["solvers"]:
            solved.append(folder / f"{solver}.nc")
            gradients.run(
                model=model,
                solver=solver,
                settings=_settings("gradients", config, solver),
                output=solved[-1],
            )
        evaluate.run(
            reference=certified,
            gradients=solved,
            settings=_settings("evaluate", config),
            output=table,
        )
        return read_table(table), dict(read_dataset(certified).attrs)


def worst(table: pd.DataFrame) -> pd.DataFrame:
    """Of every (solver, method, tolerance), the row of the functional with the largest error."""
    ranked = table.assign(_rank=table["error"].fillna(float("inf")))
    rows = ranked.groupby(["solver", "method", "rtol"], sort=False)["_rank"].idxmax()
    return table.loc[rows]


def _settings(stage: str, config: Mapping[str, Any], solver: str = "") -> dict[str, Any]:
    return json.loads(configuration.settings_of(stage, config, solver=solver))


def _check(solvers: Sequence[str], methods: Sequence[str]) -> None:
    configuration.check_known("solver", solvers, literal_keys("solvers", "SOLVERS"))
    configuration.check_known("method", methods, literal_keys("methods", "METHODS"))


def _show(table: pd.DataFrame, attributes: Mapping[str, Any], accuracies: Sequence[float]) -> None:
    from rich.console import Console
    from rich.table import Table

    from gradaudit.report.numbers import rounded_down
    from gradaudit.stages.atlas import cheapest_settings

    model = json.loads(attributes["model_json"])
    console = Console(width=None if sys.stdout.isatty() else 120)
    view = Table(
        title=f"{model['name']}: error of the gradient in scaled parameters",
        caption=f"Reference certified to {rounded_down(float(attributes['digits']))} digits.",
    )
    for key, title in COLUMNS.items():
        view.add_column(
            title, justify="right" if key in ("rtol", "error", "steps", "seconds") else "left"
        )
    previous = None
    for row in table.to_dict("records"):
        group = (row["solver"], row["method"])
        if previous not in (None, group):
            view.add_section()
        previous = group
        view.add_row(*(_text(key, row[key]) for key in COLUMNS), style=_STYLES.get(row["verdict"]))
    console.print(view)
    cheapest = cheapest_settings(table.assign(functional="shown"), list(accuracies))
    for row in cheapest.to_dict("records"):
        found = row["reason"] or (
            f"{row['solver']}, {row['method']}, rtol {row['rtol']:.0e}: "
            f"error {row['error']:.1e} in {row['seconds']:.2g} s"
        )
        console.print(f"Cheapest for an error of {row['accuracy']:.0e}: {found}.", highlight=False)


def _text(key: str, value: Any) -> str:
    match key:
        case "rtol":
            return f"{value:.0e}"
        case "error":
            return f"{value:.1e}"
        case "steps":
            return f"{value:.0f}"
        case "seconds":
            return f"{value:.2g}"
    return str(value)
