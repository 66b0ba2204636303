"""Output of an audit: a card, the digits of each setting, a table on request; or a document."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import pandas as pd

from gradaudit.cli.audit.card import card, likely_error
from gradaudit.cli.audit.matrix import STYLES, Part, legend, matrix
from gradaudit.cli.audit.tried import (
    CURVE,
    STUCK,
    Row,
    answer,
    sound_from,
    usual_row,
    word_of,
)
from gradaudit.records.numbers import short
from gradaudit.report.numbers import DASH, count, rounded_down, seconds, tolerance

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

COLUMNS = {
    "solver": "solver",
    "method": "method",
    "rtol": "rtol",
    "error": "error",
    "word": "gradient",
    "seconds": "time",
    "steps": "steps",
    "indicator": "indicator",
    "functional": "functional",
    "dominant": "error from",
    "status": "status",
}
LABELS = {"today": "default"}
"""What a line of the card is called, where that is not its key in the document."""

_RIGHT = ("rtol", "error", "seconds", "steps", "indicator")
WIDTH, LABEL = 80, 13
_ROW = (
    *("solver", "method", "rtol", "atol", "status", "functional", "error", "resolution"),
    *("verdict", "dominant", "indicator", "steps", "accepted", "rejected"),
    *("work", "seconds", "compile_seconds"),
)


@dataclass(frozen=True, kw_only=True)
class ReferenceSummary:
    """What the errors are measured against.

    `status` is "ok", "uncertified: ..." or "none"; `reason` says why there is none.
    """

    status: str
    digits: float = 0.0
    reason: str = ""

    def __str__(self) -> str:
        if self.status == "none":
            return f"none, no error can be measured: {self.reason}"
        if self.status == "ok":
            return f"certified to {rounded_down(self.digits)} digits"
        return self.status + (
            "; errors as small as its own are unknown" if self.digits else
            "; the error is therefore unknown"
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The outcome of an audit: one row per setting, of its worst functional.

    `table` has the rows of all functionals, `cheapest` the row of the cheapest setting that reaches
    `accuracy`, or None for the `reason`. Errors up to `good` are right, above `horrible` wrong.
    `failures` are solvers that could not be run, and why. `size` says in words how large the model
    is.
    """

    model: str
    name: str
    accuracy: float
    truth: ReferenceSummary
    rows: pd.DataFrame
    table: pd.DataFrame
    cheapest: Mapping[str, Any] | None
    reason: str
    good: float = 1e-2
    horrible: float = 0.5
    failures: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    size: str = ""

    @cached_property
    def today(self) -> Row:
        """The usual setting: see `gradaudit.cli.audit.tried.usual_row`."""
        return usual_row(self.rows)

    @property
    def of_today(self) -> pd.DataFrame:
        """The rows of all functionals in that setting."""
        names = [*CURVE, "rtol"]
        return self.table[(self.table[names] == [self.today[name] for name in names]).all(axis=1)]

    @property
    def answer(self) -> str:
        """Whether the default gradient is right, in a word; "none" where nothing could be run."""
        return "none" if self.rows.empty else answer(self.today, self.good, self.horrible)

    @property
    def sentence(self) -> str:
        """The cheapest setting that reaches the accuracy, or that none does and why."""
        goal = f"an error of {tolerance(self.accuracy)}"
        if self.cheapest is None:
            return f"No setting is known to reach {goal}: {self.reason}."
        row = self.cheapest
        return (
            f"Cheapest setting for {goal}: {row['solver']}, {row['method']}, "
            f"rtol {tolerance(row['rtol'])} (error {_error(row)}, {seconds(row['seconds'])}, "
            f"{row['steps']:.0f} steps)."
            + (f" As cheap: {row['tied']}." if row.get("tied") else "")
        )


def model_size(described: Mapping[str, Any]) -> str:
    """Numbers of states and parameters, and the window, of a described model in words."""
    sizes = [
        count(len(described[f"{noun}s"]), noun)
        for noun in ("state", "parameter", "event")
        if described[f"{noun}s"]
    ]
    unit = described["time_unit"]
    window = f"time 0 to {described['t_end']:g}{'' if unit in ('', '1') else f' {unit}'}"
    return ", ".join([*sizes, window])


def as_json(audit: Audit) -> str:
    """A JSON document: numbers that are not finite are null."""
    rows = audit.rows.to_dict("records")
    document = {
        "model": audit.model,
        "name": audit.name,
        "accuracy": audit.accuracy,
        "reference": {
            "status": audit.truth.status,
            "digits": audit.truth.digits if audit.truth.status != "none" else None,
            "reason": audit.truth.reason,
        },
        "answer": audit.answer,
        "card": card(audit),
        "today": None if audit.rows.empty else _today(audit),
        "rows": [_document(row, audit) for row in rows],
        "cheapest": audit.cheapest and _document(audit.cheapest, audit),
        "reason": audit.reason,
        "sentence": audit.sentence,
        "failures": dict(audit.failures),
        "warnings": list(audit.warnings),
    }
    return json.dumps(finite(document), indent=2, ensure_ascii=False, allow_nan=False)


def _document(row: Mapping[Any, Any], audit: Audit) -> dict[str, Any]:
    """A row, with its error as it is estimated without a reference.

    Two words judge it: `gradient` this gradient ("right", "inaccurate", "wrong", "unknown",
    "none"), `verdict` the series of tolerances that it is of ("good", "bad", "horrible").
    """
    middle, low, high = likely_error(row)
    return {
        **{name: row.get(name) for name in _ROW},
        "gradient": answer(row, audit.good, audit.horrible),
        "estimate": {"error": middle, "low": low, "high": high},
    }


def _today(audit: Audit) -> dict[str, Any]:
    row = audit.today
    found = sound_from(audit.rows, row["solver"], row["method"], audit.good)
    return {**_document(row, audit), "sound_from": found}


def finite(value: Any) -> Any:
    """A value for JSON: plain numbers, and None for those that are not finite."""
    match value:
        case dict():
            return {key: finite(entry) for key, entry in value.items()}
        case list():
            return [finite(entry) for entry in value]
        case float():
            return float(value) if math.isfinite(value) else None
    return value.item() if hasattr(value, "item") else value


def show(audit: Audit, *, table: bool = False) -> None:
    """Print the card and the digits of each setting on stdout, or the table in their place."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    title = f"{audit.name}: error of the gradient in scaled parameters"
    for line in (*wrap(title, WIDTH), "", *card_lines(card(audit))):
        console.print(line, markup=False, soft_wrap=True)
    if audit.rows.empty:
        return
    console.print()
    if table:
        _show_table(audit, console)
        return
    if audit.truth.status != "none":
        show_matrix(console, matrix(audit.rows), "gradient of the worst functional")
    console.print("All numbers: --table.", markup=False)


def show_matrix(console: Console, lines: list[list[Part]], noun: str) -> None:
    """Print the digits of each setting below what they mean."""
    from rich.text import Text

    for line in wrap(legend(noun), WIDTH):
        console.print(line, markup=False, soft_wrap=True)
    for parts in lines:
        shown = Text.assemble(*parts)
        shown.rstrip()
        console.print(shown, soft_wrap=True)


def card_lines(lines: Mapping[str, str]) -> list[str]:
    """Labels and texts beside them, within 80 columns."""
    shown = []
    for label, text in lines.items():
        first, *others = wrap(text, WIDTH - LABEL, break_on_hyphens=False)
        shown += [
            f"{LABELS.get(label, label):<{LABEL}}{first}",
            *(" " * LABEL + other for other in others),
        ]
    return shown


def _show_table(audit: Audit, console: Console) -> None:
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in audit.rows.to_dict("records")
    ]
    for row in rows:
        failed = row["status"] != "ok"
        row["word"] = DASH if failed else word_of(row, audit.good, audit.horrible)
        if row.get("neglected", 0.0) > audit.good:  # as the card says
            row["dominant"] = "missing term"
    shown = [key for key in COLUMNS if key != "status" or any(r["status"] != "ok" for r in rows)]
    if audit.truth.status == "none":
        shown = [key for key in shown if key not in ("error", "dominant")]
    view = _table(rows, shown)
    unbound = console.options.update(max_width=10 * console.width)
    fits = console.measure(view, options=unbound).maximum <= console.width
    fits &= sys.stdout.isatty()  # borders are for a terminal, not for a file
    console.print(view if fits else _lines(rows, shown), soft_wrap=not fits)
    if any(row["word"].endswith("*") for row in rows):
        console.print(STUCK, markup=False)


def _groups(rows: list[Any]) -> Iterator[tuple[tuple[str, str], list[Any]]]:
    """Rows of one solver and method after another."""
    return ((key, list(group)) for key, group in groupby(rows, itemgetter("solver", "method")))


def _table(rows: list[Any], shown: list[str]) -> Table:
    from rich.table import Table

    view = Table()
    for key in shown:
        view.add_column(COLUMNS[key], justify="right" if key in _RIGHT else "left", no_wrap=True)
    for _, group in _groups(rows):
        for row in group:
            view.add_row(*(_text(key, row) for key in shown), style=STYLES.get(row["word"]))
        view.add_section()
    return view


def _lines(rows: list[Any], shown: list[str]) -> Text:
    """The table for a narrow terminal: solver and method on a line of their own."""
    from rich.text import Text

    narrow = [key for key in shown if key not in ("solver", "method")]
    cells = [[COLUMNS[key] for key in narrow], *([_text(k, row) for k in narrow] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]

    def line(texts: list[str]) -> str:
        sides = zip(narrow, texts, widths, strict=True)
        return "  ".join(t.rjust(w) if k in _RIGHT else t.ljust(w) for k, t, w in sides).rstrip()

    view = Text(f"{line(cells[0])}\n")
    for (solver, method), group in _groups(rows):
        view.append(f"{solver}, {method}\n", style="bold")
        for row in group:
            text = line([_text(key, row) for key in narrow])
            view.append(f"{text}\n", style=STYLES.get(row["word"], ""))
    return view


def _text(key: str, row: Mapping[Any, Any]) -> str:
    value = row[key]
    match key:
        case "rtol":
            return tolerance(value)
        case "error":
            return _error(row)
        case "indicator":
            return short(value) if math.isfinite(value) else DASH
        case "steps":
            return f"{value:.0f}" if math.isfinite(value) else DASH
        case "seconds":
            return seconds(value)
    return str(value)


def _error(row: Mapping[Any, Any]) -> str:
    """The error, or a bound where it lies below what the reference resolves."""
    error, resolution = row["error"], row["resolution"]
    known = row["status"] == "ok" and row["verdict"] != "unknown"
    if not known or math.isnan(error) or math.isinf(resolution):
        return DASH
    if error <= resolution:
        return f"<{short(error + resolution, 1)}"
    return short(error)
