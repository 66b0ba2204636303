"""Tables of the report, from tables of the atlas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gradaudit.analysis.frontier import CRIME, EVERY
from gradaudit.records.labels import VERDICTS, functional_names, in_order, method_name
from gradaudit.report import model_sentences, sentences
from gradaudit.report.experiment_sentences import VARIANTS, residual
from gradaudit.report.model_sentences import FALSE_GOOD
from gradaudit.report.numbers import DASH, count, grouped, number, percent, seconds, tolerance


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell of a table; `verdict` colours it, `note` is small print."""

    text: str
    verdict: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table with its heads; the first column names the rows."""

    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def verdict_table(verdicts: pd.DataFrame) -> Table:
    """Functionals against settings: verdict, and the loosest tolerance that is good."""
    settings = _settings(verdicts)
    names = functional_names(dict(zip(verdicts["functional"], verdicts["kind"], strict=True)))
    cells = {
        (str(row["functional"]), str(row["solver"]), str(row["method"])): row
        for row in verdicts.to_dict("records")
    }
    rows = []
    for functional, name in names.items():
        row = [Cell(text=name)]
        for solver, method in settings:
            key = (functional, solver, method)
            row.append(_verdict_cell(cells[key]) if key in cells else Cell(text=DASH))
        rows.append(row)
    return Table(heads=["functional", *(f"{method_name(m)}, {s}" for s, m in settings)], rows=rows)


def method_table(verdicts: pd.DataFrame) -> Table:
    """Methods against verdicts: counts of tolerance series whose true gradient is not 0."""
    rows = []
    verdicts = verdicts[~verdicts["zero"].astype(bool)]
    for method in in_order(set(verdicts["method"]), "methods"):
        own = verdicts.loc[verdicts["method"] == method, "verdict"]
        counts = [int((own == word).sum()) for word in VERDICTS]
        rows.append(
            [
                Cell(text=method_name(method)),
                *(
                    Cell(text=str(n), verdict=word if n else "")
                    for n, word in zip(counts, VERDICTS, strict=True)
                ),
            ]
        )
    return Table(heads=["method", *VERDICTS], rows=rows)


def cheapest_table(frontier: pd.DataFrame, names: Mapping[str, str]) -> Table:
    """Functionals against wanted accuracies: the setting of least work.

    Functionals of the solver's own trace are left out: the page says once why.
    """
    accuracies = sorted(frontier["accuracy"].unique(), reverse=True)
    crimes = set(frontier.loc[frontier["reason"] == CRIME, "functional"])
    rows = []
    whole = f"{EVERY}, without counts and the solver's own trace"
    for functional, name in [(EVERY, whole), *names.items()]:
        if functional in crimes:
            continue
        if functional == EVERY and not (frontier["functional"] == EVERY).any():
            continue
        row = [Cell(text=name)]
        for accuracy in accuracies:
            matching = frontier[
                (frontier["functional"] == functional) & (frontier["accuracy"] == accuracy)
            ]
            text = model_sentences.cheapest(matching.iloc[0].to_dict()) if len(matching) else DASH
            row.append(Cell(text=text))
        rows.append(row)
    return Table(heads=["functional", *(f"error ≤ {tolerance(a)}" for a in accuracies)], rows=rows)


def time_table(audits: pd.DataFrame) -> Table:
    """Solvers: solves, steps, warm and compile time."""
    rows = []
    for solver, solves in sentences.solves_of(audits).groupby("solver"):
        steps = solves["steps"].sum()
        rows.append(
            [
                Cell(text=str(solver)),
                Cell(text=str(len(solves))),
                Cell(text=str(int((solves["status"] != "ok").sum()))),
                Cell(text=grouped(int(steps))),
                Cell(text=seconds(solves["seconds"].sum())),
                Cell(text=seconds(solves["compile_seconds"].sum())),
            ]
        )
    return Table(heads=["solver", "solves", "failed", "steps", "warm", "compiling"], rows=rows)


def failed_table(audits: pd.DataFrame) -> Table:
    """Failed solves with their status: one row for those that differ in the tolerance alone."""
    solves = sentences.solves_of(audits)
    failed = solves[solves["status"] != "ok"]
    rows = []
    for key, own in failed.groupby(["model", "solver", "method", "status"], sort=False):
        model, solver, method, status = map(str, key)
        loosest, tightest = tolerance(own["rtol"].max()), tolerance(own["rtol"].min())
        rows.append(
            [
                Cell(text=model),
                Cell(text=solver),
                Cell(text=method_name(method)),
                Cell(text=loosest if loosest == tightest else f"{loosest} to {tightest}"),
                Cell(text=str(len(own))),
                Cell(text=status.replace("_", " ")),
            ]
        )
    return Table(heads=["model", "solver", "method", "rtol", "solves", "status"], rows=rows)


def experiment_table(table: pd.DataFrame) -> Table:
    """Variants at the loosest tolerance."""
    loosest = table[table["rtol"] == table["rtol"].max()]
    rows = []
    for row in loosest.to_dict("records"):
        name = VARIANTS.get(str(row["variant"]), str(row["variant"]))
        if row["status"] != "ok":
            rows.append([Cell(text=name), Cell(text=str(row["status"])), *[Cell(text=DASH)] * 4])
            continue
        values = (number(float(row[k])) for k in ("gradient_norm", "state_part", "tangent_part"))
        rows.append(
            [
                Cell(text=name),
                *(Cell(text=value) for value in values),
                Cell(text=residual(row)),
                Cell(text=percent(float(row["tangent_error"]))),
            ]
        )
    heads = ["at the loosest tolerance", "norm of the gradient", "error by wrong states",
             "error by wrong tangents", "largest residual", "error of the tangents"]  # fmt: skip
    return Table(heads=heads, rows=rows)


def _settings(verdicts: pd.DataFrame) -> list[tuple[str, str]]:
    pairs = set(zip(verdicts["solver"], verdicts["method"], strict=True))
    order = in_order({method for _, method in pairs}, "methods")
    return sorted(pairs, key=lambda pair: (order.index(pair[1]), pair[0]))


def _verdict_cell(row: Mapping[Any, Any]) -> Cell:
    """The verdict, and from which tolerance on a gradient is right."""
    if row["false_good"]:
        return Cell(text=FALSE_GOOD, verdict="false-good", note="the data are of the same solve")
    needed, spikes = row["sufficient_rtol"], int(row["spikes"])
    if not np.isfinite(needed):
        note = "right at no rtol"
    elif needed >= row["loosest_rtol"]:
        note = "right at every rtol"
    else:
        note = f"right at rtol ≤ {tolerance(needed)}"
    if row["verdict"] != "good" and np.isfinite(needed) and not row["converging"]:
        always = needed >= row["loosest_rtol"]
        note += ", and no tolerance makes it smaller" if always else ", does not converge"
    if row["failed"] and np.isfinite(needed):
        note += f", {int(row['failed'])} failed"
    if spikes:
        note += f", {count(spikes, 'spike')}"
    return Cell(text=row["verdict"], verdict=row["verdict"], note=note)
