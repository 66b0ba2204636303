"""Entries of a solve with events whose derivatives exist from one side only, and why.

Two things make such entries. An observation lies at an event whose time moves with a parameter:
then that row lies before or behind the event, and the two derivatives differ. Or the state is put
onto the threshold of another event, by its initial value or by a jump: a change of a parameter to
one side puts it above and a change to the other side below, and the two solutions part for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.saltation import Effect
from gradaudit.model.definition import Event, Model
from gradaudit.model.moment import same_entries

Array = NDArray[Any]
Columns = NDArray[np.bool_]

SAME_TIME = 1e-12  # of the window
AT_THRESHOLD = 1e-12  # of the terms of an event function: it is zero to the rounding of a solve
ALIKE = 1e-9  # of the terms of a derivative: below that it is zero


class OneSidedRows:
    """What is marked in the rows of one solve.

    Attributes
    ----------
    marked
        Entries (T, N, m).
    causes
        ``(cause, time, parameters (m,))`` in the order in which they were met.
    """

    def __init__(self, model: Model, times: NDArray[np.float64], size: int) -> None:
        self.model, self.times = model, times
        self.marked = np.zeros((len(times), size, model.m), dtype=bool)
        self.causes: list[tuple[str, float, Columns]] = []

    def note_observation(
        self, now: float, slopes: Mapping[str, Array], before: tuple[Array, Array],
        after: tuple[Array, Array],
    ) -> None:  # fmt: skip
        """Look at events that happened together, with the derivatives (m,) of their times.

        `before` and `after` are states (N,) and tangents (N, m).
        """
        near = SAME_TIME * self.model.t_end
        rows = np.abs(self.times - now) <= near
        if not rows.any():
            return
        slope = np.array([[float(x) for x in row] for row in slopes.values()])
        moving = np.abs(slope * self.model.parameter_scale).max(axis=0) > near
        leaping, turning = (~same_entries(x, y) for x, y in zip(before, after, strict=True))
        entries = moving & (leaping[:, None] | turning)
        if entries.any():
            self.marked[rows] |= entries
            happens = "happens" if len(slopes) == 1 else "happen"
            cause = f"{' and '.join(map(repr, slopes))} {happens} there, {AT_A_TIME}"
            self.causes.append((cause, now, entries.any(axis=0)))

    def note_contact(self, now: float, names: Sequence[str], columns: Columns, what: str) -> None:
        """`what` puts the state onto thresholds, off which parameters move it."""
        if not columns.any():
            return
        self.marked[self.times >= now - SAME_TIME * self.model.t_end] |= columns
        thresholds = " and ".join(map(repr, names))
        cause = f"{what} onto the threshold of {thresholds}, off which they move it"
        self.causes.append((cause, now, columns))


AT_A_TIME = "at a time that depends on them"


def contacts(
    events: Mapping[str, Event], effects: Mapping[str, Effect], now: Any, z: Array,
    tangents: Array, rates: Array, slopes: Mapping[str, Array], p: Array,
    scale: NDArray[np.float64],
) -> tuple[list[str], Columns]:  # fmt: skip
    """Events at whose threshold a state has been put, and the parameters (m,) that move it off.

    A threshold on which the state stays for every value of the parameters is none of them: that
    of a ball after its bounce, or that which a solution has just crossed.

    Parameters
    ----------
    z, tangents, rates
        State (N,), derivatives (N, m) at fixed time, and f (N,), behind the jump.
    slopes
        Derivatives (m,) of the times of the events that happen there, of which the first made the
        jump; empty where the solution begins.
    scale
        Sizes (m,) of the parameters.
    """
    names, moved = [], np.zeros(len(scale), dtype=bool)
    first = next(iter(slopes.values()), np.zeros_like(p))
    for name, event in events.items():
        slope = slopes.get(name, first)
        at = effects[name].crossing(now, z, p)
        terms = np.abs(at["g_z"]) @ np.abs(z) + np.abs(at["g_p"]) @ np.abs(p) + abs(at["g_t"] * now)
        if not abs(at["g"]) <= AT_THRESHOLD * terms:
            continue
        speed = float(at["g_t"] + at["g_z"] @ rates)
        if event.jump is not None and event.direction * speed < 0.0:
            continue  # the flow leads away, in the direction in which nothing happens
        parts = [at["g_z"][:, None] * tangents, np.outer(at["g_z"] * rates, slope),
                 (at["g_t"] * slope)[None], at["g_p"][None]]  # fmt: skip
        stacked = np.concatenate(parts)
        total, size = np.abs(stacked.sum(axis=0)), np.abs(stacked).sum(axis=0)
        columns = np.array([float(a) > ALIKE * float(b) for a, b in zip(total, size, strict=True)])
        if columns.any():
            names.append(name)
            moved |= columns
    return names, moved
