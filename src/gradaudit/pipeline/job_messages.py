"""What Snakemake tells of a job, without lists of hundreds of files."""

from __future__ import annotations

import logging
from itertools import accumulate

LONGEST = 240
"""Characters: three lines of a terminal of 80 columns."""

FILES = ("input", "output", "log")


def shorten(logger: logging.Logger) -> None:
    """Have a logger name the first few files of a job, and say how many there are besides."""
    if _short not in logger.filters:
        logger.addFilter(_short)


def _short(record: logging.LogRecord) -> bool:
    for name in FILES:
        files = getattr(record, name, None)
        if isinstance(files, list):
            setattr(record, name, _first(files))
    reason = getattr(record, "reason", None)
    if isinstance(reason, str):
        record.reason = "; ".join(
            ", ".join(_first(part.split(", "))) for part in reason.split("; ")
        )
    return True


def _first(parts: list[str]) -> list[str]:
    """As many as fit; at least one, and all of them if one more than fit would be left out."""
    lengths = accumulate(len(str(part)) + 2 for part in parts)
    fitting = max(sum(length <= LONGEST for length in lengths), 1)
    left = len(parts) - fitting
    return [*parts[:fitting], f"and {left} more"] if left > 1 else parts
