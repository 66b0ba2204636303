"""Pulses that are too narrow for any look at points that do not know where they are.

``exp(-((t - c) / w)**2)`` is 0 in floating point but for a few w about c. Where w is a millionth of
the window, neither a step nor a look at its inside meets it. But the formula tells where it is: at
the zero of ``t - c``, or where ``cos(t)`` turns. So all terms of the vector field are evaluated
along the path of a solve, where any of them changes its sign, or its derivative if it depends on
time alone, and at distances from there. A term that is flat but for that place has a pulse, which a
solve has seen if its step there is shorter than the pulse is wide.

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
"""Of places where a term of the state is among those that change their sign."""

AWAY = np.geomspace(1e-8, 5e-3, 16)
"""Of the window: distances at which a pulse may have vanished. Looks are less than a tenth of the
longest one apart."""

FLAT = 4
"""The longest distances at which a term has to be the same."""

TRACE = 1e-10
"""Of the height of a pulse: what is left of it where it has vanished."""

NOISE = 1e3 * float(np.finfo(np.float64).eps)
"""Of a term: what is so low is its rounding and no pulse."""

LEAST = 1e-280
"""What is lower is where a tail falls below the smallest number."""

MOVED = 4.0 * float(np.finfo(np.float64).eps)
CLEAR = 1e3
"""Times what such a change of the states does to a term: what is lower is rounding of a sum."""

TALLER = 1e4
"""Than the term at a place: with such values nearby it is in the tail of a transient or a pulse."""

BESIDE = 0.01
TOP = 0.3
"""Of the distance: as high as the centre is a pulse there that is one from edge to edge."""
NARROW = 1e-16  # of the window: to four times less are places known where they are near 0
ULPS = 16
"""How far to the sides of a place one looks on which of them a pulse is."""


class Pulses(NamedTuple):
    """Where pulses are.

    Attributes
    ----------
    centres
        Times (P,), increasing.
    distances
        At which they have vanished, (P,).
    sides
        Whether they are before and behind the centre, (P, 2): of one that a switch cuts off, half
        is.
    boxes
        Whether they have edges and are flat in between, (P,).
    """

    centres: Array
    distances: Array
    sides: NDArray[np.bool_]
    boxes: NDArray[np.bool_]

    def unseen(self, starts: Any, lengths: Any, until: float) -> float | None:
        """The first centre at which the step of a solve is longer than the pulse is wide.

        A step from edge to edge is not, as between the events that enclose a pulse.

        Parameters
        ----------
        starts, lengths
            Of the steps, increasing.
        until
            The last observation: what has vanished before it begins behind it.
        """
        starts, lengths = np.asarray(starts, dtype=float), np.asarray(lengths, dtype=float)
        for centre, distance, sides, box in zip(*self, strict=True):
            if not centre - distance < until:
                break
            sides = sides | (not sides.any())  # what is narrower than one looks is on both
            # a little to both sides: a step that ends at the centre sees nothing of it
            beside = centre + distance * np.array([-BESIDE, BESIDE])[sides]
            rows = np.searchsorted(starts, beside) - 1
            rows = rows[(rows >= 0) & (rows < len(lengths))]
            begin, length = starts[rows], lengths[rows]
            near = np.abs([begin - centre, begin + length - centre]).max(axis=0) <= distance
            if np.any((length > distance) & ~(near & box)):
                return float(centre)
        return None


NONE = Pulses(np.empty(0), np.empty(0), np.empty((0, 2), dtype=bool), np.empty(0, dtype=bool))


def unseen(
    model: Model, path: Path | None, starts: Any, lengths: Any, until: float
) -> float | None:
    """The first centre of a pulse of a vector field that a solve has not seen."""
    found = pulses(model, path).unseen(starts, lengths, until)
    if found is not None:  # the path is another one where it is seen, with other pulses
        _known(model).clear()
    return found


@identity_cache
def _known(model: Model) -> dict[str, Any]:
    """The pulses that were found, and until when."""
    return {}


def pulses(model: Model, path: Path | None = None) -> Pulses:
    """The pulses of the terms of a vector field.

    Of terms that depend on the state along the path of a solve: the first one so long stands for
    all, which differ by their errors.
    """
    terms = terms_of(model)
    if terms is None or (terms.of_states and path is None):
        return NONE
    known = _known(model)
    until = float(path.times[-1]) if terms.of_states and path is not None else np.inf
    if until > known.get("until", -np.inf):
        known.update(until=until, pulses=_found(model, terms, path))
    found: Pulses = known["pulses"]
    return found


def _found(model: Model, terms: Terms, path: Path | None) -> Pulses:
    grid = np.linspace(0.0, (1.0 + AWAY[-1]) * model.t_end, POINTS)
    places = _places(terms, path, grid)
    parts = [_vanished(terms, path, some, model.t_end) for some in _blocks(places)]
    distances, sides, boxes = (np.concatenate(part) for part in zip(*parts, strict=True))
    some = np.isfinite(distances)
    return Pulses(places[some], distances[some], sides[some], boxes[some])


def _blocks(values: Array) -> list[Array]:
    return [values[start : start + BLOCK] for start in range(0, len(values), BLOCK)]


def _vanished(
    terms: Terms, path: Path | None, places: Array, t_end: float
) -> tuple[Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """At which distances (C,) a pulse at some places has vanished, infinite without one.

    And on which sides it is, (C, 2), and whether it has edges, (C,).
    """
    here = terms.along(places, path)[0]
    size = np.abs(here)
    noise = np.zeros_like(here)
    if terms.of_states:
        for sign in (-1.0, 1.0):
            shaken = terms.along(places, path, moved=sign * MOVED)[0]
            noise = np.maximum(noise, np.nan_to_num(np.abs(shaken - here)))
    found = np.full(here.shape, np.inf)
    least, most = np.full(here.shape, np.inf), np.full(here.shape, -np.inf)
    inner = np.zeros_like(here)
    for count, away in enumerate(AWAY[::-1] * t_end, 1):
        for times in (places - away, places + away):
            inside = ((times >= 0.0) & (times <= (1.0 + AWAY[-1]) * t_end))[:, None]
            values = terms.along(times, path)[0]
            least = np.where(inside, np.minimum(least, values), least)
            most = np.where(inside, np.maximum(most, values), most)
        with np.errstate(invalid="ignore"):
            height = np.where(here > most, here - most, least - here)
            high = height > NOISE * np.maximum(size, np.maximum(np.abs(least), np.abs(most)))
            high &= height > np.maximum(CLEAR * noise, LEAST)
            flat = high & np.isfinite(height) & (most - least <= TRACE * height)
        if count >= FLAT:  # what is not flat for longer distances is not so for shorter ones
            found = np.where(flat, away, found)
        if count == 1:
            level = most
        with np.errstate(invalid="ignore"):
            reached = np.maximum(np.abs(most - level), np.abs(least - level))
        inner = np.where(flat, inner, np.maximum(inner, np.nan_to_num(reached)))
    with np.errstate(invalid="ignore"):
        found = np.where(inner > TALLER * np.abs(here - level), np.inf, found)
    tiny = ULPS * np.spacing(places) + NARROW * t_end
    sides = []
    for times in (places - tiny, places + tiny):
        with np.errstate(invalid="ignore"):
            apart = np.abs(terms.along(times, path)[0] - level) > TRACE * np.abs(here - level)
        sides.append(np.any(np.isfinite(found) & apart, axis=1))
    least_of_all = np.asarray(found.min(axis=1, initial=np.inf))
    within = TOP * np.nan_to_num(least_of_all, posinf=0.0)
    tops = []
    for times in (places - within, places + within):
        with np.errstate(invalid="ignore"):
            lower = np.abs(terms.along(times, path)[0] - here) > BESIDE * np.abs(here - level)
        tops.append(~np.any(np.isfinite(found) & lower, axis=1))
    both, only = np.stack(tops, axis=1), np.stack(sides, axis=1)
    return least_of_all, only, np.all(both | ~only, axis=1)


def _places(terms: Terms, path: Path | None, grid: Array) -> Array:
    """Times (C,) at which a term or its derivative changes its sign, and both ends; increasing."""
    low, which, guesses = [], [], []
    for kind, values in enumerate(terms.along(grid, path)):
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
    most = MOST_OF_STATES if terms.of_states else MOST_PLACES
    some = some[np.linspace(0, len(some) - 1, min(len(some), most)).astype(int)]
    ends = grid[[0, -1]] / [1.0, 1.0 + AWAY[-1]]
    places = [ends]
    for part in _blocks(some):
        places.append(_bisected(terms, path, grid[rows[part]], grid[rows[part] + 1], chosen[part]))
    return np.unique(np.concatenate(places))


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
