"""All settings of an audit at a glance: how many digits of the gradient hold, by tolerance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any

import pandas as pd

from gradaudit.report.numbers import DASH, tolerance

UNKNOWN, FAILED, NOT_RUN = "?", "x", "-"
MOST, RIGHT = 15, 2
STYLES = {
    "right": "green", "right*": "yellow", "inaccurate": "yellow", "inaccurate*": "yellow",
    "wrong": "red", "wrong*": "red", DASH: "red", "unknown": "dim",
}  # fmt: skip

Part = tuple[str, str]
"""A text and the style that it is shown in, which may be empty."""


def legend(noun: str) -> str:
    """What the numbers mean; two digits are the error up to which a gradient is called right."""
    return (
        f"Correct digits of the {noun} at each relative tolerance. 2 or more: right, the "
        f"error is at most 1e-2; 0: above 1e-1; {UNKNOWN}: unknown; {FAILED}: no gradient; "
        f"{NOT_RUN}: not run."
    )


def digits(row: Mapping[Any, Any], *, not_run: str = "") -> str:
    """The whole digits that surely hold, or why they are not told."""
    if row["status"] == not_run:
        return NOT_RUN
    if row["status"] != "ok":
        return FAILED
    error, resolution = row["error"], row["resolution"]
    bound = error + resolution
    if row["verdict"] == "unknown" or math.isnan(bound):
        return UNKNOWN
    if math.isinf(bound):  # of a gradient that overflows, or of a reference that tells nothing
        return "0" if math.isinf(error) else UNKNOWN
    if bound <= 10.0**-MOST:
        return str(MOST)
    # 1e-2 itself has two digits, whatever its logarithm is rounded to
    return str(max(0, math.floor(-math.log10(bound) + 1e-9)))


def matrix(rows: pd.DataFrame, *, not_run: str = "", columns: int = 80) -> list[list[Part]]:
    """Lines of texts with styles: a head of tolerances, and a line for each solver and method.

    Tolerances that do not fit into so many `columns` follow below, with heads of their own.
    """
    tolerances = sorted(set(rows["rtol"]), reverse=True)
    curves = [
        (f"{solver} {method}", {row["rtol"]: row for row in group})
        for (solver, method), group in groupby(
            rows.to_dict("records"), itemgetter("solver", "method")
        )
    ]
    label = max((len(name) for name, _ in curves), default=0)
    width = max((len(tolerance(rtol)) for rtol in tolerances), default=0) + 1
    at_once = max(1, (columns - label) // width)
    lines: list[list[Part]] = []
    for first in range(0, len(tolerances), at_once):
        shown = tolerances[first : first + at_once]
        lines.append([(" " * label, ""), *((tolerance(r).rjust(width), "") for r in shown)])
        for name, by_tolerance in curves:
            cells = [_cell(by_tolerance.get(rtol), not_run) for rtol in shown]
            padded = ((text.rjust(width), style) for text, style in cells)
            lines.append([(name.ljust(label), ""), *padded])
    return lines


def _cell(row: Mapping[Any, Any] | None, not_run: str) -> Part:
    text = NOT_RUN if row is None else digits(row, not_run=not_run)
    if text in (NOT_RUN, FAILED, UNKNOWN):
        return text, {FAILED: "red", UNKNOWN: "dim"}.get(text, "")
    word = "right" if int(text) >= RIGHT else "inaccurate" if text != "0" else "wrong"
    return text, STYLES[word]
