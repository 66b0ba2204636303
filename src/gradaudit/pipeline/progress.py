"""How a stage reports its progress."""

from __future__ import annotations

import sys
from collections.abc import Callable

Report = Callable[[float, str], None]
"""Takes the fraction that is done, from 0 to 1, and what has been done or is being done."""


def to_stderr(fraction: float, text: str) -> None:
    """A line in the log of a job."""
    print(f"{100 * fraction:5.1f} %  {text}", file=sys.stderr, flush=True)
