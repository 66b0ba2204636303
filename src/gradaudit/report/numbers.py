"""Numbers and lists as a reader wants them: few digits, units, plurals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gradaudit.records.numbers import grouped, number, rounded_down, tolerance

__all__ = [
    "DASH", "FEW", "count", "grouped", "listed", "number", "percent", "proportion", "rounded_down",
    "seconds", "sentence_case", "series", "share", "tolerance",
]  # fmt: skip

DASH = "–"
FEW = 20
"""Cases; of fewer a share is written as a count."""


def percent(share: float) -> str:
    """A share as a percentage with two digits, or as a multiple where it is above ten."""
    if not math.isfinite(share):
        return "not finite"
    if share > 10.0:
        return f"{number(share, 2)} times"
    return f"{number(100.0 * share, 2)} %"


def proportion(part: float, whole: int) -> str:
    """A share (0 to 1) of some cases: a percentage, or a count where the cases are few."""
    cases = part * whole
    few = 0 < whole < FEW and math.isfinite(cases)
    if few and abs(cases - round(cases)) < 1e-6:
        return f"{round(cases)} of {whole}"
    return percent(part)


def seconds(value: float) -> str:
    """A time with the unit that suits it."""
    if not math.isfinite(value):
        return DASH
    if value < 1e-3:
        return f"{value * 1e6:.3g} µs"
    if value < 1.0:
        return f"{value * 1e3:.3g} ms"
    if value < 120.0:
        return f"{value:.3g} s"
    return f"{value / 60.0:.3g} min"


def count(value: int, noun: str, plural: str = "") -> str:
    """A number with its noun: 1 model, 2 models, no models."""
    many = plural or f"{noun}s"
    if value == 0:
        return f"no {many}"
    return f"{grouped(value)} {noun if value == 1 else many}"


def listed(items: Sequence[str], limit: int = 6) -> str:
    """Items as in prose; of a long list the first few and how many are left."""
    items = list(items)
    if len(items) > limit:
        items = [*items[: limit - 1], f"{len(items) - limit + 1} more"]
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def share(part: int, whole: int, noun: str, plural: str = "") -> str:
    """How many of how many: 2 of 3 models, all 3 models, none of 3 models, the only model."""
    if whole and part == whole:
        return f"the only {noun}" if whole == 1 else f"all {count(whole, noun, plural)}"
    few = whole < 2  # "none of 1" is no English
    return f"{grouped(part) if part or few else 'none'} of {count(whole, noun, plural)}"


def sentence_case(text: str) -> str:
    """With a capital at the beginning; other letters stay as they are."""
    return text[:1].upper() + text[1:]


def series(value: int) -> str:
    """A number of tolerance series; the plural is the same word."""
    return count(value, "tolerance series", "tolerance series")
