"""Several events at one moment: in which orders they may happen, and whether the order matters.

An event is pending from when it is triggered until it happens. Of those pending, one of the highest
priority happens next; its jump may trigger others, which are then pending too. Where several have
the highest priority, each may be the next, and the outcome must not depend on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

State = TypeVar("State")

MOST_EVENTS = 1000
"""Events that happen at one moment; where there are more, they trigger each other for ever."""


ALIKE = 1e-9
"""Relative difference below which slopes or outcomes of two orders are the same.

What does not commute differs in its leading digits, what does to the rounding of the precision.
"""


class UnsettledMomentError(Exception):
    """A moment that has no outcome, with the reason."""


class Moment(Protocol[State]):
    """What happens at one moment, in the number type of a solve."""

    def priority(self, name: str, state: State) -> float | None:
        """The priority of an event in a state."""

    def happen(self, name: str, state: State) -> tuple[State, Sequence[str]]:
        """The state after an event, and the events that its jump triggers."""


def outcomes(
    moment: Moment[State],
    begin: State,
    triggered: Sequence[str],
    *,
    ranked: bool = True,
    differs: Callable[[State, State], bool],
) -> tuple[State, bool]:
    """The state after all events of a moment, and whether it is the same in every order.

    Up to three events are tried in every order that priorities leave open; of more, each one is the
    first once with the others in the order of declaration, and once in the opposite order. So two
    events that do not commute are met in both orders.

    Parameters
    ----------
    triggered
        The events whose functions cross zero, in the order of declaration.
    ranked
        Whether priorities count.
    differs
        Whether two outcomes are different.

    Raises
    ------
    UnsettledMomentError
        If events trigger each other without end, or one is triggered again before it has happened.
    """
    first, widest = _follow(moment, begin, triggered, 0, 0, ranked)
    for chosen in range(widest):
        for later in (0, -1):
            if (chosen, later) == (0, 0) or widest == 1:
                continue
            other, _ = _follow(moment, begin, triggered, chosen, later, ranked)
            if differs(first, other):
                return first, False
    return first, True


def _follow(
    moment: Moment[State],
    state: State,
    triggered: Sequence[str],
    chosen: int,
    later: int,
    ranked: bool,
) -> tuple[State, int]:
    """One order: at the first free choice take event `chosen`, then `later`; the widest choice."""
    pending, widest, happened = list(triggered), 1, 0
    while pending:
        free = _highest(moment, pending, state) if ranked else list(pending)
        name = free[0]
        if len(free) > 1:
            name = free[chosen % len(free) if widest == 1 else later]
            widest = max(widest, len(free))
        pending.remove(name)
        state, more = moment.happen(name, state)
        again = [other for other in more if other in pending]
        if again:
            raise UnsettledMomentError(
                f"the event {again[0]!r} is triggered a second time before it has happened"
            )
        pending += more
        happened += 1
        if happened > MOST_EVENTS:
            raise UnsettledMomentError("events trigger each other without end")
    return state, widest


def _highest(moment: Moment[State], pending: Sequence[str], state: State) -> list[str]:
    if len(pending) == 1:
        return list(pending)
    ranks = [moment.priority(name, state) for name in pending]
    numbers = [-math.inf if rank is None else float(rank) for rank in ranks]
    return [name for name, rank in zip(pending, numbers, strict=True) if rank == max(numbers)]


def alike(a: object, b: object) -> bool:
    """Whether two arrays are the same but for rounding."""
    return bool(np.all(same_entries(a, b)))


def same_entries(a: object, b: object) -> NDArray[np.bool_]:
    """Which entries are the same but for rounding, in relation to the largest of their row."""
    one, other = (np.array(x, dtype=float) for x in (a, b))
    size = np.maximum(np.abs(one), np.abs(other))
    if size.ndim > 1:
        size = np.broadcast_to(size.max(axis=-1, keepdims=True, initial=0.0), size.shape)
    return np.asarray(np.abs(one - other) <= ALIKE * size)
