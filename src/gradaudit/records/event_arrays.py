"""Events as labelled arrays: one slot an event that happened, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names
from gradaudit.records.results import EventRecord

Variables = dict[str, tuple[tuple[str, ...], np.ndarray]]


def event_arrays(
    cell: tuple[str, ...],
    solves: Sequence[Sequence[EventRecord]],
    shape: tuple[int, ...],
    model: Model,
    prefix: str = "",
) -> Variables:
    """Variables of a dataset with the events of each of several solves.

    Parameters
    ----------
    cell, shape
        Names and sizes of the leading dimensions that the solves are laid out in.
    solves
        The events of each solve; missing ones are padded with NaN, and the kind -1.
    prefix
        Of the names of variables and of the dimension of slots.

    Returns
    -------
    variables
        ``event`` numbers the model's events; ``event_time``, ``event_slope`` (its derivative),
        ``event_value`` and ``event_value_slope``: states and integrals at the event and their whole
        derivative, that of the event's time included.
    """
    slots = max((len(event_records) for event_records in solves), default=0)
    size, m = model.n + len(integrand_names(model)), model.m
    names = list(model.events)
    filled: dict[str, Any] = {
        "event": np.full((len(solves), slots), -1, dtype=np.int64),
        "event_time": np.full((len(solves), slots), np.nan),
        "event_slope": np.full((len(solves), slots, m), np.nan),
        "event_value": np.full((len(solves), slots, size), np.nan),
        "event_value_slope": np.full((len(solves), slots, size, m), np.nan),
    }
    for row, event_records in enumerate(solves):
        for slot, record in enumerate(event_records):
            filled["event"][row, slot] = names.index(record.name)
            filled["event_time"][row, slot] = record.time
            filled["event_slope"][row, slot] = record.slope
            filled["event_value"][row, slot] = record.state
            filled["event_value_slope"][row, slot] = record.tangents + np.outer(
                record.rate, record.slope
            )
    tails: dict[str, tuple[str, ...]] = {
        "event": (),
        "event_time": (),
        "event_slope": ("parameter",),
        "event_value": ("column",),
        "event_value_slope": ("column", "parameter"),
    }
    return {
        prefix + name: (
            (*cell, f"{prefix}slot", *tails[name]),
            values.reshape(*shape, *values.shape[1:]),
        )
        for name, values in filled.items()
    }
