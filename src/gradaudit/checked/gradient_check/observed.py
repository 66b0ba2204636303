"""What the solves of a check have seen, told by callbacks from compiled programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np


@dataclass
class Observed:
    """Of all solves so far.

    Attributes
    ----------
    solves, failed
        How many ended, and how many of them failed.
    neglected, at_ends
        Largest share of a saltation term that an entry of the tangents lacks: of jumps of the
        vector field within the window, and at its ends.
    faint
        Largest embedded error, of their size, of states that grew out of their absolute tolerance.
    """

    solves: int = 0
    failed: int = 0
    neglected: float = 0.0
    at_ends: float = 0.0
    faint: float = 0.0


_current: Observed | None = None


def note(ok: Any, neglected: Any, at_ends: Any, faint: Any) -> None:
    """Called by the programs after each solve."""
    if _current is None:
        return
    _current.solves += 1
    # as numpy's arrays: functions of JAX would be compiled for them, from within a callback
    _current.failed += not np.asarray(ok).all()
    _current.neglected = max(_current.neglected, float(np.asarray(neglected).max()))
    _current.at_ends = max(_current.at_ends, float(np.asarray(at_ends).max()))
    _current.faint = max(_current.faint, float(np.asarray(faint).max()))


@contextmanager
def observing() -> Iterator[Observed]:
    """Collects; only one thread at a time, which `api` sees to."""
    global _current
    jax.effects_barrier()
    _current = seen = Observed()
    try:
        yield seen
        jax.effects_barrier()
    finally:
        _current = None
