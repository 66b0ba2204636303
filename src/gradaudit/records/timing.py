"""Which names are those of measured times: the only results that differ from run to run.

Whoever stores a time, or what is made from one, gives it such a name; what compares two runs leaves
these out and asks for everything else to be equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WORDS = ("seconds", "cost")
"""A name is that of a time if one of these is among its words; a cost is a ratio of times."""


def is_time(name: str) -> bool:
    """Whether a column, a variable or a key holds a measured time or a ratio of such."""
    return not set(WORDS).isdisjoint(name.split("_"))


def without_times(value: Any) -> Any:
    """Plain data, as from JSON, without the entries whose keys are names of times."""
    if isinstance(value, Mapping):
        return {name: without_times(kept) for name, kept in value.items() if not is_time(str(name))}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [without_times(entry) for entry in value]
    return value
