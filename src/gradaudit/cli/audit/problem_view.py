"""Output of an audit of a problem: card, digits, a table on request; or a JSON document."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from itertools import groupby
from textwrap import wrap
from typing import Any

from gradaudit.cli.audit.matrix import matrix
from gradaudit.cli.audit.problem_card import ProblemAudit, card
from gradaudit.cli.audit.tried import STUCK, word_of
from gradaudit.cli.audit.view import card_lines, finite, show_matrix
from gradaudit.problem.audit_table import NOT_INTEGRATED, UNKNOWN
from gradaudit.problem.ladder import NOT_RUN
from gradaudit.records.numbers import short
from gradaudit.report.numbers import DASH, seconds, tolerance

WIDTH = 80
GAP = 2
CELLS = {
    "rtol": "rtol",
    "error": "error",
    "verdict": "gradient",
    "parameter": "parameter",
    "condition": "condition",
    "observable": "observable",
    "seconds": "time",
    "steps": "steps",
}
_RIGHT = ("rtol", "error", "seconds", "steps")
ORIGIN = ("parameter", "condition", "observable")
_ROW = (
    *("solver", "method", "rtol", "atol", "status", "failed", "error", "resolution", "cosine"),
    *("parameter", "parameter_error", "conditions", "observables", "verdict", "converging"),
    *("steps", "accepted", "rejected", "work", "seconds", "compile_seconds", "indicator"),
    *("value", "gradient"),
)


def show(audit: ProblemAudit, *, table: bool = False) -> None:
    """Print the card, and the digits of each setting or the table, within 80 columns."""
    from rich.console import Console

    title = f"{audit.problem.name}: gradient of the log-likelihood at the nominal parameters"
    for line in (*wrap(title, WIDTH), "", *card_lines(card(audit)), ""):
        print(line)
    if table:
        print("\n".join(_table(audit)))
        return
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    if audit.answer != "not_integrated":
        show_matrix(console, matrix(audit.table, not_run=NOT_RUN), "gradient")
    print("\n".join([*_left_out(audit), "All numbers: --table."]))


def _table(audit: ProblemAudit) -> list[str]:
    shown = list(CELLS)
    if len({m.condition for m in audit.problem.measurements}) == 1:
        shown.remove("condition")
    rows = [row for row in audit.table.to_dict("records") if row["status"] != NOT_RUN]
    texts = [_texts(row, audit) for row in rows]
    cells = [CELLS, *texts]
    widths = _fitted({key: max(len(row[key]) for row in cells) for key in shown})
    lines = [
        "Errors are relative to the norm of the certified gradient. `parameter` is the",
        "worst entry; most of the error comes from `condition` and `observable`.",
    ]
    for curve, own in groupby(zip(rows, texts, strict=True), _curve):
        lines += ["", ", ".join(curve), _line(CELLS, widths)]
        lines += [_line(text, widths) for _, text in own]
    stuck = [STUCK] if any(text["verdict"].endswith("*") for text in texts) else []
    return [*lines, "", *stuck, *_left_out(audit)]


def _curve(pair: tuple[Mapping[Any, Any], Any]) -> tuple[str, str]:
    row, _ = pair
    return row["solver"], row["method"]


def _left_out(audit: ProblemAudit) -> list[str]:
    """What was not run, and why."""
    lines = []
    if (audit.table["status"] == NOT_RUN).any():
        lines.append("Tighter tolerances are not tried after two solves with too many steps.")
    if audit.left_out:
        lines.append(f"{audit.left_out} settings were left out to save time.")
    return lines


def _fitted(widths: dict[str, int]) -> dict[str, int]:
    """Widths that fit into a line; names give way, the longest one first."""
    while sum(widths.values()) + GAP * (len(widths) - 1) > WIDTH:
        longest = max((key for key in ORIGIN if key in widths), key=widths.__getitem__)
        widths = {**widths, longest: widths[longest] - 1}
    return widths


def _line(texts: Mapping[str, str], widths: Mapping[str, int]) -> str:
    """Cells side by side; of a name that is too long the end is shown, which tells it apart."""
    cells = []
    for key, width in widths.items():
        text = texts[key] if len(texts[key]) <= width else f"…{texts[key][1 - width :]}"
        cells.append(text.rjust(width) if key in _RIGHT else text.ljust(width))
    return (" " * GAP).join(cells).rstrip()


def _texts(row: Mapping[Any, Any], audit: ProblemAudit) -> dict[str, str]:
    known = row["verdict"] != NOT_INTEGRATED
    word = word_of(row, audit.good, audit.horrible) if known else NOT_INTEGRATED
    return {
        "rtol": tolerance(row["rtol"]),
        "error": _error(row),
        "verdict": word,
        **{key: row[key] if known and row[key] else DASH for key in ORIGIN},
        "seconds": seconds(row["seconds"]).replace(" ", "") if row["steps"] else DASH,
        "steps": f"{row['steps']:.0f}" if row["steps"] else DASH,
    }


def _error(row: Mapping[Any, Any]) -> str:
    error, resolution = row["error"], row["resolution"]
    known = row["status"] == "ok" and row["verdict"] not in (UNKNOWN, NOT_INTEGRATED)
    if not known or math.isnan(error) or math.isinf(resolution):
        return DASH
    return f"<{short(error + resolution, 1)}" if error <= resolution else short(error)


def as_json(audit: ProblemAudit) -> str:
    """A JSON document: numbers that are not finite are null."""
    exact, (cheapest, reason) = audit.exact, audit.cheapest
    parameters = audit.problem.parameters
    document = {
        "problem": audit.problem.name,
        "path": str(audit.problem.path),
        "parameters": list(parameters.names),
        "scales": list(parameters.scales),
        "point": parameters.nominal.tolist(),
        "accuracy": audit.accuracy,
        "reference": {
            "status": exact.status if exact else "none",
            "reason": audit.reason,
            "digits": float(exact.digits) if exact else None,
            "value": exact.value if exact else None,
            "gradient": exact.gradient.tolist() if exact else None,
            "bounds": exact.bounds.tolist() if exact else None,
            "seconds": exact.seconds if exact else None,
        },
        "answer": audit.answer,
        "card": card(audit),
        "today": {name: audit.today.get(name) for name in _ROW},
        "sound_from": audit.sound_from,
        "cheapest": cheapest and {name: cheapest.get(name) for name in _ROW},
        "reason": reason,
        "rows": [{name: row.get(name) for name in _ROW} for row in audit.table.to_dict("records")],
        "left_out": audit.left_out,
    }
    return json.dumps(finite(document), indent=2, ensure_ascii=False, allow_nan=False)
