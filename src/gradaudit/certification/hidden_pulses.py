"""Pulses that are too narrow for any look at points that do not know where they are.

``exp(-((t - c) / w)**2)`` is 0 in floating point but for a few w about c. Where w is a millionth of
the window, neither a step nor a look at its inside meets it. But the formula tells where it is: at
the zero of ``t - c``, or where ``cos(t)`` turns. So all terms of the vector field and of the event
functions are evaluated along the path of a solve, where any of them changes its sign, or its
derivative if it depends on time alone, and at distances from there.

A term that has one value at most long distances and another one at a short one may have a pulse. A
solve has not seen it if the term has one value at most points of the step that it is in. What is no
higher than the term in the step before is the tail of a transient, and what the step behind shows
is a level that it has reached.

What comes out of a conditional or a long loop is not looked at, nor a pulse about a state's turning
point; where thousands of terms or places are, some of them are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.program_cache import identity_cache
from gradaudit.certification.pulse_terms import BLOCK, Path, Terms, terms_of
from gradaudit.model.definition import Model

Array = NDArray[np.float64]

POINTS = 4001
"""Of a grid on which signs are compared; it reaches a little beyond the window."""

BISECTIONS = 44  # from a gap of the grid to what float64 resolves
MOST_PLACES = 10 * BLOCK
MOST_OF_STATES = BLOCK
"""Of places that a term of the state tells."""

AWAY = np.geomspace(0.97e-8, 4.83e-3, 16)
"""Of the window: distances at which a pulse may have vanished. Looks are less than a tenth of the
longest one apart. No round number, so that none is a period of the pulses."""

FAR, AGREE = 5, 3
"""Of the longest distances so many have to show the same value: one may meet another pulse."""

TRACE = 1e-10
"""Of the height of a pulse: what is left of it where it has vanished."""

NOISE = 1e3 * float(np.finfo(np.float64).eps)
"""Of the largest value of a term: what is so low is its rounding, or does not count beside that."""

LEAST = 1e-280
"""What is lower is where a tail falls below the smallest number."""

MOVED = 4.0 * float(np.finfo(np.float64).eps)
CLEAR = 1e3
"""Times what such a change of the states does to a term: what is lower is rounding of a sum."""

NARROW = 1e-16  # of the window: to four times less are places known where they are near 0
ULPS = 16
"""The shortest distance from a place."""

INSIDE = 0.5 * (1.0 - np.cos(np.pi * (np.arange(17) + 0.5) / 17))
"""Shares of a step at which a term is compared with its pulse."""

BEFORE, BEHIND = 1e-3, 0.5
"""Shares of the steps before and behind: near an event their times differ between solves."""

NEXT = 2.5  # times a distance is the next one
TALLER = 1.01  # than what these show
SAME = 0.5  # of its height is left where a pulse is the one that was found


class Pulses(NamedTuple):
    """Where terms have pulses.

    Attributes
    ----------
    tops
        Times (C,) at which they are the highest of all distances.
    begins
        Times (C,) before which they are not.
    columns
        Of the terms, (C,).
    heights, least
        Their distance there from the value far away, and what counts of it, (C,).
    reaches
        How far from there they have vanished, (C,).
    """

    tops: Array
    begins: Array
    columns: NDArray[np.int64]
    heights: Array
    least: Array
    reaches: Array

    def first_unseen(
        self, terms: Terms, path: Path | None, starts: Any, lengths: Any, until: float
    ) -> float | None:
        """The first one that no point of the step of a solve shows.

        Parameters
        ----------
        terms, path
            With which they were found.
        starts, lengths
            Of the steps, increasing.
        until
            The last observation: what begins behind it does not count.
        """
        starts, lengths = np.asarray(starts, dtype=float), np.asarray(lengths, dtype=float)
        chosen = np.flatnonzero(self.begins < until)
        if not len(chosen) or not len(starts):
            return None
        # of what is highest behind the last observation, the height there counts
        tops, which = np.unique(np.minimum(self.tops[chosen], until), return_inverse=True)
        rows = np.clip(np.searchsorted(starts, tops, side="right") - 1, 0, len(starts) - 1)
        begin, length = starts[rows], lengths[rows]
        inside = begin[:, None] + length[:, None] * INSIDE
        before = np.maximum(begin - BEFORE * lengths[np.maximum(rows - 1, 0)], 0.0)
        behind = begin + length + BEHIND * lengths[np.minimum(rows + 1, len(lengths) - 1)]
        first, last = rows == 0, rows == len(starts) - 1
        found = []
        per = BLOCK // (len(INSIDE) + 3)
        for some in _split(np.argsort(which, kind="stable"), per):
            at, own = which[some], chosen[some]
            times = np.column_stack([tops[at], inside[at], before[at], behind[at]])
            shown = terms.along(times.ravel(), path)[0].reshape(*times.shape, -1)
            shown = shown[np.arange(len(some)), :, self.columns[own]]
            points = shown[:, 1:-2]
            with np.errstate(invalid="ignore"):
                level = np.median(points, axis=1)
                height = np.abs(shown[:, 0] - level)
                flat = np.abs(points - level[:, None]) <= TRACE * height[:, None]
                ends = shown[:, [1, len(INSIDE), -2, -1]]  # of the step, before, and behind
                around = np.nan_to_num(np.abs(ends - level[:, None]))
            around[first[at], -2] = around[last[at], -1] = 0.0
            hidden = (flat.mean(axis=1) >= 0.5) & (height > self.least[own])
            hidden &= (height >= SAME * self.heights[own]) | (self.tops[own] > until)
            hidden &= height / TALLER > around.max(axis=1)
            # a step ends at an event, so that one which ends in the pulse of its function saw it
            first_end, last_end = (
                np.searchsorted(starts, tops[at] + sign * self.reaches[own]) for sign in (-1.0, 1.0)
            )
            hidden &= terms.of_field[self.columns[own]] | (first_end == last_end)
            found += tops[at[hidden]].tolist()
        return min(found, default=None)


def unseen(
    model: Model, path: Path | None, starts: Any, lengths: Any, until: float
) -> float | None:
    """The first time of a pulse of a vector field or an event that a solve has not seen.

    Pulses of terms that depend on the state are those along the path of the first solve so long,
    which stands for all; they differ by their errors.
    """
    terms = terms_of(model)
    if terms is None or (terms.of_states and path is None):
        return None
    known = _known(model)
    reached = float(path.times[-1]) if terms.of_states and path is not None else np.inf
    if reached > known.get("reached", -np.inf):
        known.update(reached=reached, path=path, pulses=pulses(model, path))
    found: float | None = known["pulses"].first_unseen(terms, known["path"], starts, lengths, until)
    if found is not None:  # the path is another one where it is seen, with other pulses
        known.clear()
    return found


@identity_cache
def _known(model: Model) -> dict[str, Any]:
    """The pulses that were found, along which path, and until when."""
    return {}


def pulses(model: Model, path: Path | None = None) -> Pulses:
    """The pulses of the terms of a model, along a path if they depend on the state."""
    terms = terms_of(model)
    empty = np.empty(0)
    if terms is None:
        return Pulses(empty, empty, np.empty(0, dtype=np.int64), empty, empty, empty)
    grid = np.linspace(0.0, (1.0 + AWAY[-1]) * model.t_end, POINTS)
    along = terms.along(grid, path)
    places = _places(terms, path, grid, along)
    inside = grid <= model.t_end
    size = np.where(np.isfinite(along[0]) & inside[:, None], np.abs(along[0]), 0.0).max(axis=0)
    noise = np.broadcast_to(np.maximum(NOISE * size, LEAST), (len(places), len(size)))
    if terms.of_states:
        noise = np.maximum(noise, _noise(terms, path, places))
    parts = [
        _of_side(terms, path, places[some], noise[some], side, model.t_end)
        for some in _split(np.arange(len(places)), BLOCK // (len(AWAY) + 1))
        for side in (-1.0, 1.0)
    ]
    return Pulses(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _split(values: NDArray[Any], size: int) -> list[NDArray[Any]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def _noise(terms: Terms, path: Path | None, places: Array) -> Array:
    """What the rounding of states may do to the terms at some places, (C, K)."""
    here = terms.along(places, path)[0]
    noise = np.zeros_like(here)
    for sign in (-1.0, 1.0):
        shaken = terms.along(places, path, moved=sign * MOVED)[0]
        with np.errstate(invalid="ignore"):
            noise = np.maximum(noise, np.nan_to_num(np.abs(shaken - here)))
    return CLEAR * noise


def _of_side(
    terms: Terms, path: Path | None, places: Array, noise: Array, side: float, t_end: float
) -> Pulses:
    """The pulses on one side of some places (C,), before (-1) or behind (1) them."""
    shortest = ULPS * np.spacing(places) + NARROW * t_end
    away = np.vstack([shortest, np.broadcast_to(AWAY[:, None] * t_end, (len(AWAY), len(places)))])
    times = places + side * away
    within = (times >= 0.0) & (times <= (1.0 + AWAY[-1]) * t_end)
    values = terms.along(times.ravel(), path)[0].reshape(*times.shape, -1)
    values[~within] = np.nan
    # outside of the window there are none, so that of its places the longest distances differ
    longest = np.maximum(within.sum(axis=0) - 1 - np.arange(FAR)[:, None], 0)
    far = np.take_along_axis(values, longest[:, :, None], axis=0)
    with np.errstate(invalid="ignore"):
        level = np.median(far, axis=0)
        above = np.nan_to_num(np.abs(values - level), nan=0.0)
        top = above.argmax(axis=0)
        height = np.take_along_axis(above, top[None], axis=0)[0]
        flat = (np.abs(far - level) <= TRACE * height).sum(axis=0) >= AGREE
        size = np.nan_to_num(np.abs(values)).max(axis=0)
    high = (height > noise) & (height > NOISE * size) & np.isfinite(height) & np.isfinite(level)
    enough = (within.sum(axis=0) > FAR)[:, None]
    rows, columns = np.nonzero(flat & high & enough)
    tops, heights = top[rows, columns], height[rows, columns]
    reach = (above[:, rows, columns] > TRACE * heights) * away[:, rows]
    reaches = NEXT * reach.max(axis=0, initial=0.0)
    begins = places[rows] - (reaches if side < 0.0 else 0.0)
    return Pulses(times[tops, rows], begins, columns, heights, noise[rows, columns], reaches)


def _places(terms: Terms, path: Path | None, grid: Array, along: tuple[Array, Array]) -> Array:
    """Times (C,) at which a term or its derivative changes its sign, and both ends; increasing.

    `along` are terms and derivatives on the grid, (G, K) each.
    """
    low, which, guesses = [], [], []
    for kind, values in enumerate(along):
        signs = np.sign(values)
        turned = (signs[:-1] * signs[1:] < 0.0) | ((signs[1:] == 0.0) & (signs[:-1] != 0.0))
        if kind:  # the path has corners, at which the derivatives of other terms jump
            turned &= terms.timed
        rows, columns = np.nonzero(turned)
        before, after = values[rows, columns], values[rows + 1, columns]
        low.append(rows)
        which.append(np.stack([np.full(len(rows), kind), columns], axis=1))
        with np.errstate(invalid="ignore"):
            share = np.nan_to_num(before / (before - after), nan=0.5)  # where both are infinite
        guesses.append(rows + share)
    rows, chosen, guess = np.concatenate(low), np.concatenate(which), np.concatenate(guesses)
    # what is a multiple of another term has its zeros
    _, some = np.unique(np.round(guess, 9), return_index=True)
    timed = terms.timed[chosen[some, 1]]
    kept = np.concatenate(
        [_thinned(some[timed], MOST_PLACES), _thinned(some[~timed], MOST_OF_STATES)]
    )
    ends = grid[[0, -1]] / [1.0, 1.0 + AWAY[-1]]
    places = [ends]
    for part in _split(kept, BLOCK):
        places.append(_bisected(terms, path, grid[rows[part]], grid[rows[part] + 1], chosen[part]))
    return np.unique(np.concatenate(places))


def _thinned(values: NDArray[Any], most: int) -> NDArray[Any]:
    """At most so many of them, evenly."""
    return values[np.linspace(0, len(values) - 1, min(len(values), most)).astype(int)]


def _bisected(terms: Terms, path: Path | None, a: Array, b: Array, chosen: Array) -> Array:
    """Both ends (2 C,) of intervals in which a term (kind, column) changes its sign, made short."""
    rows, (kinds, columns) = np.arange(len(a)), chosen.T

    def sign(times: Array) -> Array:
        return np.sign(np.stack(terms.along(times, path))[kinds, rows, columns])

    before = sign(a)
    for _ in range(BISECTIONS):
        middle = 0.5 * (a + b)
        same = sign(middle) == before
        a, b = np.where(same, middle, a), np.where(same, b, middle)
    return np.concatenate([a, b])
