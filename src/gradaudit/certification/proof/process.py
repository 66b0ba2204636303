"""The process that encloses with CAPD: the request, the answer, and what an early end leaves."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.proof import enclose
from gradaudit.certification.proof.translate import Texts
from gradaudit.errors import MissingExtraError

Array = NDArray[np.float64]

SMALL = 1e-290  # doubles below it lose digits
GRACE = 10  # s, after which the process ends itself if nobody has ended it


@dataclass(frozen=True)
class Enclosures:
    """Intervals that hold the exact values; infinite where nothing is known.

    Attributes
    ----------
    states, sensitivities
        Lower and upper ends, (2, T, n) and (2, T, n, m).
    reached
        How many of the T times have intervals.
    ended
        "ok", or why not all times have.
    """

    states: Array
    sensitivities: Array
    reached: int
    ended: str


def check_installed() -> None:
    """Check that CAPD is there, without importing it.

    Raises
    ------
    MissingExtraError
        If it is not.
    """
    if find_spec("capdpy") is None:
        raise MissingExtraError(
            "A proof of a reference needs the package capdpy, which is not installed. "
            "Run: pip install 'gradaudit[proof]'"
        )


def unknown(times: int, n: int, m: int, ended: str) -> Enclosures:
    """Enclosures that say nothing."""
    ends = np.array([-np.inf, np.inf])
    return Enclosures(
        np.broadcast_to(ends[:, None, None], (2, times, n)).copy(),
        np.broadcast_to(ends[:, None, None, None], (2, times, n, m)).copy(),
        0,
        ended,
    )


def intersection(a: Enclosures, b: Enclosures) -> Enclosures | None:
    """What lies in both; None if two enclosures of one number do not meet."""
    states, sensitivities = (
        np.stack([np.maximum(one[0], other[0]), np.minimum(one[1], other[1])])
        for one, other in ((a.states, b.states), (a.sensitivities, b.sensitivities))
    )
    if any(np.any(ends[0] > ends[1]) for ends in (states, sensitivities)):
        return None
    further = a if a.ended == "ok" or a.reached > b.reached else b
    return Enclosures(states, sensitivities, further.reached, further.ended)


def run(
    texts: Texts, nominal: Array, times: Array, n: int, *,
    order: int, longest: float, time_limit: float,
) -> Enclosures:  # fmt: skip
    """Enclose a solution at times (T,), for parameters (m,) that are exactly these doubles.

    Parameters
    ----------
    order
        Of the Taylor method.
    longest
        Of the steps, in units of time of the model.
    time_limit
        Seconds; what is reached by then is kept.
    """
    units = texts.units
    request = {
        "field": texts.field,
        "start": texts.start,
        "n": n,
        "m": len(nominal),
        "parameters": [p.hex() for p in np.ldexp(nominal, -np.array(units.parameters)).tolist()],
        "times": [t.hex() for t in np.ldexp(times, -units.time).tolist()],
        "order": order,
        "seconds": math.ceil(time_limit) + GRACE,
        "longest": float(np.ldexp(longest, -units.time)),
    }
    # By its path and without that of its folder, so that nothing else is imported there.
    child = subprocess.Popen(
        [sys.executable, "-P", enclose.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        answer, complaint = child.communicate(json.dumps(request) + "\n", timeout=time_limit)
        ended = f"the process ended with {child.returncode}: {' '.join(complaint.split())[:120]}"
    except subprocess.TimeoutExpired:
        child.kill()
        answer, _ = child.communicate()
        ended = "the time limit came"
    found = _read(answer, unknown(len(times), n, len(nominal), ended))
    states, parameters = np.array(units.states), np.array(units.parameters)
    return replace(
        found,
        states=_scaled(found.states, states),
        sensitivities=_scaled(found.sensitivities, states[:, None] - parameters),
    )


def _scaled(ends: Array, exponents: Any) -> Array:
    """Lower and upper ends times powers of two, outwards where that may round."""
    result = np.ldexp(ends, exponents)
    outwards = np.nextafter(result, np.array([-np.inf, np.inf]).reshape(2, *[1] * (ends.ndim - 1)))
    return np.where((np.abs(result) < SMALL) & (ends != 0.0), outwards, result)


def _read(answer: str, empty: Enclosures) -> Enclosures:
    """The rows of an answer, the last of which may be cut off."""
    reached, ended = 0, empty.ended
    for line in answer.splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            break
        if "ended" in row:
            ended = row["ended"]
            break
        empty.states[:, reached] = _ends(row["states"])
        empty.sensitivities[:, reached] = _ends(row["sensitivities"])
        reached += 1
    return Enclosures(empty.states, empty.sensitivities, reached, ended)


def _ends(nested: Any) -> Array:
    """Lower and upper ends, (2, ...), infinite for what is no number."""
    texts = np.array(nested, dtype=object)
    found = np.vectorize(float.fromhex, otypes=[np.float64])(texts)
    lower, upper = found[..., 0], found[..., 1]
    return np.stack(
        [np.where(np.isnan(lower), -np.inf, lower), np.where(np.isnan(upper), np.inf, upper)]
    )
