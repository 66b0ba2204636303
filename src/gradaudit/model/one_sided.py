"""Derivatives that exist from one side only: switches at the ends of the window, or on them always.

A switch of the vector field whose time depends on a parameter may lie at the first or at the last
moment of the window at the nominal parameters. Then a change of the parameter to one side brings it
into the window and a change to the other side takes it out, and the two derivatives differ. The
same holds for a state that stays on a threshold, such as ``jnp.maximum(y, 0)`` where y is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.branches import FrozenField, flat
from gradaudit.backend.jaxpr.thresholds import ALIKE, AT_THRESHOLD, standing, touching
from gradaudit.backend.program_cache import identity_cache, programs_of
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state, integrand_names, with_integrals
from gradaudit.model.shared_form import Numbers, shared_form, with_numbers
from gradaudit.model.switching import switches

Array = NDArray[np.float64]
Columns = NDArray[np.bool_]

_AT_AN_END = (
    "a switch of the vector field lies at the {} of the window, at a time that depends on them"
)
_AT_A_THRESHOLD = "the solution starts at a threshold of the vector field, off which they move it"
_STANDING = "the solution stays on a switch of the vector field, off which they move it"

AHEAD = 1e-9  # of the window: how far from its ends the outcomes of switches are looked at
AT_AN_END = 1e-11  # of the window: a switch further from an end than this is inside or outside
SAME_TIME = 1e-12  # of the window: a slope below it is none


class OneSided(NamedTuple):
    """Which parameters have one-sided derivatives (m,), when, and why."""

    columns: Columns
    time: float
    cause: str


def one_sided(
    model: Model, times: Array, values: Array, derivatives: Array, *, near: float = AT_AN_END
) -> list[OneSided]:
    """What a solution says of switches at the ends of its window.

    Parameters
    ----------
    times
        Observation times (T,); the window ends at the last of them.
    values, derivatives
        States and integrals (T, N) and their derivatives (T, N, m).
    near
        How close to an end, in windows, a switch is taken to be at it.
    """
    looks = _looks(model)
    if looks is None:
        return []
    notes = []
    start = np.zeros(model.m, dtype=bool)
    if looks.may_turn(0.0, looks.start[0]):
        start = looks.turning(0.0, *looks.start, near)
    if start.any():
        notes.append(OneSided(start, 0.0, _AT_AN_END.format("start")))
    touching = looks.touching & ~start
    if touching.any():
        notes.append(OneSided(touching, 0.0, _AT_A_THRESHOLD))
    end, z, tangents = float(times[-1]), values[-1], derivatives[-1]
    if np.all(np.isfinite(z)) and np.all(np.isfinite(tangents)):
        if looks.may_turn(end, z):
            columns = looks.turning(end, z, tangents, near)
            if columns.any():
                notes.append(OneSided(columns, end, _AT_AN_END.format("end")))
        if len(times) > 1 and np.all(np.isfinite(values)) and looks.may_stand(end, z):
            columns = looks.standing(times[[0, -1]], values[[0, -1]], tangents)
            if columns.any():
                notes.append(OneSided(columns, 0.0, _STANDING))
    return notes


class _Programs(NamedTuple):
    """What is compiled for models of one form that switch, at numbers and parameters.

    Each program is compiled when it is first needed, and most models need `reading` and `touching`
    alone: rates, outcomes and margins of the switches at a point; and contacts at the start.
    """

    reading: Callable[..., Any]
    touching: Callable[..., Any]
    turning: Callable[..., Any]
    standing: Callable[..., Any]


class _Looks(NamedTuple):
    """A model that switches: its start with tangents, a contact there, and its programs."""

    start: tuple[Array, Array]
    touching: Columns
    programs: _Programs
    model: Model
    numbers: Numbers | None
    nominal: Any

    def may_turn(self, t: float, z: Array) -> bool:
        """Whether a switch has another outcome just before or just after a point."""
        rates, here, _ = self._reading(t, z)
        if not np.all(np.isfinite(rates)):
            return True
        ahead = AHEAD * self.model.t_end
        beside = (self._reading(t + h, z + h * rates)[1] for h in (-ahead, ahead))
        return any(bool(np.any(other != here)) for other in beside)

    def may_stand(self, t: float, z: Array) -> bool:
        """Whether a point is on a threshold."""
        return bool(np.any(np.asarray(self._reading(t, z)[2]) == 0.0))

    def turning(self, t: float, z: Array, tangents: Array, near: float) -> Columns:
        """Parameters (m,) that move a switch which turns at a point, or as near to it."""
        window = self.model.t_end, self.model.parameter_scale
        found = self.programs.turning(self.numbers, self.nominal, *window, t, z, tangents, near)
        return np.asarray(found)

    def standing(self, times: Array, values: Array, tangents: Array) -> Columns:
        """Parameters (m,) that move a solution off a threshold which it stays on."""
        scale = self.model.parameter_scale
        found = self.programs.standing(self.numbers, self.nominal, scale, times, values, tangents)
        return np.asarray(found)

    def _reading(self, t: float, z: Array) -> Any:
        return self.programs.reading(self.numbers, self.nominal, t, z)


@identity_cache
def _looks(model: Model) -> _Looks | None:
    shared, compiled, numbers = shared_form(model), {}, None
    if shared is not None:
        (form, *others), numbers = shared
        compiled = programs_of(form, (*others, "one-sided"))
    if "programs" not in compiled:
        compiled["programs"] = _programs(model) if switches(model) else None
    programs = compiled["programs"]
    if programs is None:
        return None
    p, extra = jnp.asarray(model.nominal), np.zeros(len(integrand_names(model)))
    y, tangents = initial_state(model, p), jax.jacfwd(lambda p: initial_state(model, p))(p)
    z = np.concatenate([y, extra])
    tangents = np.pad(np.asarray(tangents), ((0, len(extra)), (0, 0)))
    touched = programs.touching(numbers, p, model.parameter_scale, z, tangents)
    return _Looks((z, tangents), np.asarray(touched), programs, model, numbers, p)


def _programs(model: Model) -> _Programs:
    size = model.n + len(integrand_names(model))

    def branches(numbers: Numbers | None) -> FrozenField:
        own = model if numbers is None else with_numbers(model, numbers)
        return FrozenField(with_integrals(own), size, model.m)

    def reading(numbers: Any, p: Any, t: Any, z: Any) -> Any:
        return branches(numbers).reading(t, z, p)

    def touches(numbers: Any, p: Any, scale: Any, z: Any, tangents: Any) -> Any:
        moved = tangents * scale, jnp.diag(scale)
        return touching(branches(numbers), jnp.zeros(()), z, p, *moved)

    def stands(numbers: Any, p: Any, scale: Any, times: Any, values: Any, tangents: Any) -> Any:
        return standing(branches(numbers), times, values, p, tangents * scale, jnp.diag(scale))

    def turns(numbers: Any, *where: Any) -> Any:
        return _turning(branches(numbers), *where)

    return _Programs(jax.jit(reading), jax.jit(touches), jax.jit(turns), jax.jit(stands))


def _turning(
    branches: FrozenField, p: Any, t_end: Any, scale: Any, t: Any, z: Any, tangents: Any, reach: Any
) -> Any:
    """Parameters (m,) that move a switch which turns at t, where it makes the rates jump."""
    step = AHEAD * t_end
    old = branches.decisions_ahead(t, z, p, -step)
    new = branches.decisions_ahead(t, z, p, step)
    before, after = branches(t, z, p, old), branches(t, z, p, new)
    leaps = jnp.any(jnp.abs(before - after) > ALIKE * (jnp.abs(before) + jnp.abs(after)))

    def margins(t: Any, z: Any, p: Any) -> Any:
        return branches.margins(t, z, p, old)

    here = (jnp.asarray(t, dtype=float), z, p)
    value, speed = jax.jvp(margins, here, (jnp.ones(()), before, jnp.zeros_like(p)))
    moving = jax.vmap(
        lambda column, seed: jax.jvp(margins, here, (jnp.zeros(()), column, seed))[1],
        in_axes=-1, out_axes=-1,
    )(tangents, jnp.eye(len(p)))  # fmt: skip
    size = jnp.abs(moving * scale).max(axis=1)
    close = reach * t_end * jnp.abs(speed) + AT_THRESHOLD * size
    near = (flat(old) != flat(new)) & (jnp.abs(value) <= close)
    moved = jnp.abs(moving * scale) > (SAME_TIME * t_end * jnp.abs(speed)[:, None])
    return leaps & jnp.any(near[:, None] & moved, axis=0)
