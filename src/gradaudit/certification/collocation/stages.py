"""Switches at fixed times: the vector field from one to the next.

A switch whose time depends on neither states nor parameters has no part in the sensitivities, which
go on continuously. Elements end there, and each stage between two such times has its own branches.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.collocation.vector_field import VectorField, compile_mode
from gradaudit.certification.discrete_modes import Mode, Reader
from gradaudit.certification.heyoka.precision import DOUBLE, Precision
from gradaudit.certification.heyoka.translate import translate
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Event, Model
from gradaudit.model.quadratures import initial_state

Array = NDArray[Any]

MOST_STAGES = 50
NEAR = 1e-9
"""Of the window: so close to a break a switch is at it."""


@dataclass(frozen=True)
class Stages:
    """The stages of a vector field.

    Attributes
    ----------
    breaks
        The times within the window at which a switch changes, increasing; a time itself belongs to
        the stage before it.
    modes
        One more.
    """

    reader: Reader
    breaks: tuple[float, ...]
    modes: tuple[Mode, ...]

    def compile(self, precision: Precision) -> VectorField:
        """The vector field in a precision, which chooses the stage by the time of a point."""
        fields = [compile_mode(self.reader, mode, precision) for mode in self.modes]
        return _joined(fields, [precision.number(b) for b in self.breaks])


def stages(model: Model) -> Stages | None:
    """The stages of a model whose events are switches at fixed times; None for others."""
    times = [_fixed_time(model, event) for event in model.events.values()]
    if any(time is None for time in times) or len(set(times)) > MOST_STAGES:
        return None
    breaks = sorted({b for b in times if b is not None and 0.0 < b < model.t_end})
    reader = Reader(model)
    z = np.zeros(reader.size)
    z[: model.n] = np.asarray(initial_state(model, model.nominal))
    edges = [0.0, *breaks, model.t_end]
    modes = []
    p = [hy.expression(f"p{j}") for j in range(model.m)]
    for begin, end in pairwise(edges):
        _, mode = reader.numbers(begin + 0.5 * (end - begin), z)
        boundaries = [boundary for _, boundary in reader.rates(mode, DOUBLE, p)[1]]
        if any(_crossed(model, boundary, begin, end) for boundary in boundaries):
            return None
        modes.append(mode)
    return Stages(reader, tuple(breaks), tuple(modes))


def _crossed(model: Model, boundary: hy.expression, begin: float, end: float) -> bool:
    """Whether a choice may change within a stage, by the states or at a time that is no break."""
    t = hy.expression("t")
    own = hy.subs(boundary, {hy.time: t})
    named = hy.get_variables(own)
    if any(name.startswith("y") for name in named):
        return True
    if "t" not in named:
        return False
    if "t" in hy.get_variables(hy.diff(own, t)):
        return True
    arguments = [t, *(hy.expression(f"p{j}") for j in range(model.m))]
    function = hy.cfunc([own], arguments)
    at = [float(function([time, *model.nominal])[0]) for time in (begin, end)]
    slope = (at[1] - at[0]) / (end - begin)
    if any(name.startswith("p") for name in named):
        # a switch whose time a parameter moves is at a break by chance only
        at = [0.0 if abs(x) <= NEAR * model.t_end * abs(slope) else x for x in at]
        return at[0] * at[1] <= 0.0
    return at[0] * at[1] < 0.0


def _fixed_time(model: Model, event: Event) -> float | None:
    """When a switch changes, if that depends on nothing and is a number of float64."""
    if event.jump is not None:
        return None
    t, y = hy.expression("t"), [hy.expression(f"y{i}") for i in range(model.n)]
    p = [hy.expression(f"p{j}") for j in range(model.m)]
    try:
        (when,) = translate(lambda *a: _vector(event, *a), [t, y, p], precision=DOUBLE)
    except TranslationError:
        return None
    if hy.get_variables(when) != ["t"] or hy.get_variables(hy.diff(when, t)):
        return None
    function = hy.cfunc([when], [t])
    at_start = Fraction(float(function([0.0])[0]))
    slope = hy.cfunc([hy.diff(when, t)], [t])([0.0])[0]
    if slope == 0.0 or not np.isfinite(slope):
        return None
    exact = -at_start / Fraction(float(slope))
    return float(exact) if Fraction(float(exact)) == exact else None


def _vector(event: Event, t: Any, y: Any, p: Any) -> Any:
    import jax.numpy as jnp

    return jnp.asarray(event.when(t, y, p)).reshape((1,))


def _joined(fields: list[VectorField], breaks: list[Any]) -> VectorField:
    """One field of several, with the entries that any of them has."""
    first = fields[0]
    places = sorted(set().union(*(zip(f.rows, f.columns, strict=True) for f in fields)))
    position = {place: k for k, place in enumerate(places)}
    into = [
        np.array([position[place] for place in zip(f.rows, f.columns, strict=True)], dtype=int)
        for f in fields
    ]

    def stage(points: Array) -> NDArray[np.int64]:
        found = np.zeros(points.shape[1], dtype=int)
        for b in breaks:
            found += np.array([bool(time > b) for time in points[0]])
        return found

    def rates(points: Array) -> Array:
        chosen = stage(points)
        whole = np.zeros((points.shape[1], first.size), dtype=points.dtype)
        for k in np.unique(chosen):
            whole[chosen == k] = fields[k].rates(np.ascontiguousarray(points[:, chosen == k]))
        return whole

    def slopes(points: Array) -> Array:
        chosen = stage(points)
        whole = np.zeros((points.shape[1], len(places)), dtype=points.dtype)
        for k in np.unique(chosen):
            own = fields[k].slopes(np.ascontiguousarray(points[:, chosen == k]))
            whole[np.ix_(np.flatnonzero(chosen == k), into[k])] = own
        return whole

    rows, columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
    return VectorField(
        n=first.n,
        size=first.size,
        m=first.m,
        precision=first.precision,
        rates=rates,
        slopes=slopes,
        rows=rows,
        columns=columns,
    )
