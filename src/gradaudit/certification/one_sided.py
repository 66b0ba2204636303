"""Derivatives that exist from one side only: switches at the ends of the window, or on them always.

A switch of the vector field whose time depends on a parameter may lie at the first or at the last
moment of the window at the nominal parameters. Then a change of the parameter to one side brings it
into the window and a change to the other side takes it out, and the two derivatives differ. The
same holds for a state that stays on a threshold, such as ``jnp.maximum(y, 0)`` where y is 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.branches import FrozenField, flat
from gradaudit.backend.program_cache import identity_cache
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state, integrand_names
from gradaudit.model.switching import branching

Array = NDArray[np.float64]
Columns = NDArray[np.bool_]

AHEAD = 1e-9  # of the window: how far from its ends the outcomes of switches are looked at
SAME_TIME = 1e-12  # of the window: a slope below it is none
ALIKE = 1e-9  # of the rates, in double precision
NUDGE = 1e-6  # of a parameter: where the other side of a threshold is looked for


class OneSided(NamedTuple):
    """Which parameters have one-sided derivatives (m,), when, and why."""

    columns: Columns
    time: float
    cause: str


def one_sided(model: Model, times: Array, values: Array, derivatives: Array) -> list[OneSided]:
    """What a solution says of switches at the ends of its window.

    Parameters
    ----------
    times
        Observation times (T,); the window ends at the last of them.
    values, derivatives
        States and integrals (T, N) and their derivatives (T, N, m).
    """
    branches = _branching(model)
    if branches is None:
        return []
    start, slopes = _start(model)
    ends = ((0.0, start, slopes, "start"), (float(times[-1]), values[-1], derivatives[-1], "end"))
    notes = []
    for time, z, tangents, name in ends:
        if np.all(np.isfinite(z)) and np.all(np.isfinite(tangents)):
            columns = _turning(branches, model, time, z, tangents)
            cause = f"a switch of the vector field lies at the {name} of the window"
            notes.append(OneSided(columns, time, cause))
    whole = np.all(np.isfinite(derivatives), axis=(1, 2))
    if whole.all():
        columns = _standing(branches, model, times, values, derivatives)
        notes.append(OneSided(columns, 0.0, "the solution stays on a switch of the vector field"))
    return [note for note in notes if note.columns.any()]


@identity_cache
def _branching(model: Model) -> FrozenField | None:
    return branching(model)


def _start(model: Model) -> tuple[Array, Array]:
    p, extra = jnp.asarray(model.nominal), np.zeros(len(integrand_names(model)))
    y, tangents = initial_state(model, p), jax.jacfwd(lambda p: initial_state(model, p))(p)
    return np.concatenate([y, extra]), np.pad(np.asarray(tangents), ((0, len(extra)), (0, 0)))


def _turning(branches: FrozenField, model: Model, t: float, z: Array, tangents: Array) -> Columns:
    """Parameters that move a switch which turns at t, where it makes the rates jump."""
    p, step, point = jnp.asarray(model.nominal), AHEAD * model.t_end, jnp.asarray(z)
    old = branches.decisions_ahead(t, point, p, -step)
    new = branches.decisions_ahead(t, point, p, step)
    turned = np.asarray(flat(old) != flat(new))
    before, after = branches(t, point, p, old), branches(t, point, p, new)
    size = ALIKE * (jnp.abs(before) + jnp.abs(after))
    if not turned.any() or not bool(jnp.any(jnp.abs(before - after) > size)):
        return np.zeros(model.m, dtype=bool)
    value, speed, moving = _margins(branches, model, t, point, tangents, old, before)
    near = turned & (np.abs(value) <= 10.0 * step * np.abs(speed))
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.abs(moving[near] * model.parameter_scale / speed[near, None])
    return np.asarray(np.any(slopes > SAME_TIME * model.t_end, axis=0))


def _standing(
    branches: FrozenField, model: Model, times: Array, values: Array, derivatives: Array
) -> Columns:
    """Parameters that move the solution off a threshold on which it stays, to other rates."""
    p, flags = jnp.asarray(model.nominal), np.zeros(model.m, dtype=bool)
    decided = branches.decisions(times[-1], jnp.asarray(values[-1]), p)
    margins = jax.vmap(lambda t, z: branches.margins(t, z, p, decided))(times, values)
    always = np.all(np.asarray(margins) == 0.0, axis=0)
    if len(times) < 2 or not always.any():
        return flags
    t, z = times[-1], jnp.asarray(values[-1])
    for j, scale in enumerate(model.parameter_scale):
        along = jnp.asarray(derivatives[-1][:, j]) * scale
        seed = jnp.zeros(model.m).at[j].set(scale)
        rates = []
        for sign in (NUDGE, -NUDGE):
            side = branches.decisions(t, z + sign * along, p + sign * seed)
            _, rate = jax.jvp(lambda z, p, s=side: branches(t, z, p, s), (z, p), (along, seed))
            rates.append(np.asarray(rate))
        size = np.abs(rates[0]) + np.abs(rates[1])
        flags[j] = bool(np.any(np.abs(rates[0] - rates[1]) > ALIKE * size))
    return flags


def _margins(
    branches: FrozenField, model: Model, t: float, z: Any, tangents: Array, decided: Any, rate: Any
) -> tuple[Array, Array, Array]:
    """What is zero where a switch turns (Q,), its rate (Q,) and its derivatives (Q, m)."""
    p = jnp.asarray(model.nominal)

    def margins(t: Any, z: Any, p: Any) -> Any:
        return branches.margins(t, z, p, decided)

    here = (jnp.asarray(t), z, p)
    value, speed = jax.jvp(margins, here, (jnp.ones(()), rate, jnp.zeros_like(p)))
    _, moving = jax.vmap(
        lambda column, seed: jax.jvp(margins, here, (jnp.zeros(()), column, seed)),
        in_axes=-1, out_axes=-1,
    )(jnp.asarray(tangents), jnp.eye(len(p)))  # fmt: skip
    return np.asarray(value), np.asarray(speed), np.asarray(moving)
