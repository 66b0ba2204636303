"""Output of an audit of a problem: the card and the table as text, or a JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from textwrap import wrap
from typing import Any

from gradaudit.cli.audit.problem_card import ProblemAudit, card
from gradaudit.cli.audit.view import finite
from gradaudit.problem.audit_table import NOT_INTEGRATED, UNKNOWN
from gradaudit.problem.ladder import NOT_RUN
from gradaudit.report.numbers import DASH, seconds, tolerance

WIDTH = 80
LABEL = 13
GAP = 2
CELLS = {
    "rtol": "rtol",
    "error": "error",
    "verdict": "verdict",
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


def as_text(audit: ProblemAudit) -> str:
    """The card, and the table below it; lines have at most 80 columns."""
    title = f"{audit.problem.name}: gradient of the log-likelihood at the nominal parameters"
    return "\n".join([*wrap(title, WIDTH), "", *_card(audit), "", *_table(audit)])


def _card(audit: ProblemAudit) -> list[str]:
    lines = []
    for label, text in card(audit).items():
        first, *others = wrap(text, WIDTH - LABEL, break_on_hyphens=False)
        lines += [f"{label:<{LABEL}}{first}", *(" " * LABEL + other for other in others)]
    return lines


def _table(audit: ProblemAudit) -> list[str]:
    shown = list(CELLS)
    if len({m.condition for m in audit.problem.measurements}) == 1:
        shown.remove("condition")
    rows = [row for row in audit.table.to_dict("records") if row["status"] != NOT_RUN]
    cells = [CELLS, *map(_texts, rows)]
    widths = _fitted({key: max(len(row[key]) for row in cells) for key in shown})
    lines = [
        "Errors are relative to the norm of the certified gradient. Of each gradient: the",
        "parameter whose entry is worst, and where most of the error comes from.",
    ]
    for curve, own in groupby(rows, itemgetter("solver", "method")):
        lines += ["", ", ".join(curve), _line(CELLS, widths)]
        lines += [_line(_texts(row), widths) for row in own]
    if len(rows) < len(audit.table):
        lines += ["", "Tighter tolerances are not tried after two solves with too many steps."]
    if audit.left_out:
        lines += ["", f"{audit.left_out} settings were left out to save time."]
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


def _texts(row: Mapping[Any, Any]) -> dict[str, str]:
    known = row["verdict"] != NOT_INTEGRATED
    return {
        "rtol": tolerance(row["rtol"]),
        "error": _error(row),
        "verdict": row["verdict"] if row["status"] == "ok" else row["status"],
        **{key: row[key] if known and row[key] else DASH for key in ORIGIN},
        "seconds": seconds(row["seconds"]).replace(" ", "") if row["steps"] else DASH,
        "steps": f"{row['steps']:.0f}" if row["steps"] else DASH,
    }


def _error(row: Mapping[Any, Any]) -> str:
    error, resolution = row["error"], row["resolution"]
    known = row["status"] == "ok" and row["verdict"] not in (UNKNOWN, NOT_INTEGRATED)
    if not known or math.isnan(error):
        return DASH
    return f"<{error + resolution:.0e}" if error <= resolution else f"{error:.1e}"


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
