"""Events as arrays: the k-th occurrence of every event, to be compared with the k-th of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class EventWeights(NamedTuple):
    """Derivatives of a functional by the times of events (E, K), and by the values (E, K, N)."""

    times: Array
    values: Array


@dataclass(frozen=True, kw_only=True)
class EventTable:
    """The events of one solve; NaN where there is no k-th occurrence.

    Attributes
    ----------
    names
        The E events.
    times, slopes
        Shapes (E, K) and (E, K, m).
    values, value_slopes
        States and integrals at the event, (E, K, N), and their whole derivative, (E, K, N, m),
        that of the event's time included.
    """

    names: tuple[str, ...]
    times: Array
    slopes: Array
    values: Array
    value_slopes: Array

    def counts(self) -> Array:
        """How often each event happened, (E,)."""
        counts: Array = np.sum(np.isfinite(self.times), axis=1)
        return counts

    def zero_weights(self) -> EventWeights:
        """Weights of the right shape."""
        return EventWeights(np.zeros(self.times.shape), np.zeros(self.values.shape))

    def gradient(self, weights: EventWeights) -> Array:
        """Times and values by their slopes, (m,); what has no weight may be missing."""
        return weighted(weights.times, self.slopes) + weighted(weights.values, self.value_slopes)

    def padded(self, most: int) -> EventTable:
        """The same with room for `most` occurrences of each event."""
        if self.times.shape[1] >= most:
            return self

        def pad(array: Array) -> Array:
            room = [(0, 0)] * array.ndim
            room[1] = (0, most - array.shape[1])
            return np.pad(array, room, constant_values=np.nan)

        return EventTable(
            names=self.names,
            times=pad(self.times),
            slopes=pad(self.slopes),
            values=pad(self.values),
            value_slopes=pad(self.value_slopes),
        )


def weighted(weights: Array, slopes: Array) -> Array:
    """Sum of weights (...) times slopes (..., m), where the weight is not 0."""
    used = weights != 0.0
    total: Array = np.sum(weights[used][:, None] * slopes[used], axis=0)
    return total


def arranged(
    names: Sequence[str], kinds: Array, times: Array, slopes: Array, values: Array, rates: Array
) -> EventTable:
    """EventTable from slots in the order of time.

    Parameters
    ----------
    kinds
        Number of the event in each slot, (slots,); negative where the slot is empty.
    times, slopes, values, rates
        Shapes (slots,), (slots, m), (slots, N) and (slots, N, m).
    """
    slots_by_event = [np.flatnonzero(kinds == number) for number in range(len(names))]
    most = max((len(slots) for slots in slots_by_event), default=0)

    def fill(source: Array) -> Array:
        filled = np.full((len(names), most, *source.shape[1:]), np.nan)
        for number, slots in enumerate(slots_by_event):
            filled[number, : len(slots)] = source[slots]
        return filled

    return EventTable(
        names=tuple(names),
        times=fill(times),
        slopes=fill(slopes),
        values=fill(values),
        value_slopes=fill(rates),
    )
