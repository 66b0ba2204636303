"""Whether what switches in the vector field at an event turns there for other parameters, too.

A declared event may have the time of a switch at the nominal parameters only: a stimulus that ends
at t = p, and an event at t = 0.43 where p = 0.43. Then the solution is right, and the saltation
term is that of the wrong time. To first order the two stay together if their times have the same
derivative.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.branches import FrozenField, flat
from gradaudit.model.definition import Model
from gradaudit.model.switching import branching

Array = NDArray[Any]

AHEAD = 1e-9  # of the window: how far from the event the outcomes of switches are looked at
NEAR = 1e-7  # of the window: a switch further away than this turns by a jump of the state
ALIKE = 1e-6  # of the derivatives, in double precision


@dataclass
class Coincidence:
    """The switches of a model's vector field, beside its events."""

    model: Model
    _branches: FrozenField | None = field(init=False)
    _seen: dict[Hashable, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._branches = branching(self.model)

    def holds(
        self, key: Hashable, t: float, before: Array, after: Array, tangents: Array, slope: Array,
        *, p: Array | None = None, seeds: Array | None = None,
    ) -> bool:  # fmt: skip
        """Whether all switches that turn at an event turn with it.

        Parameters
        ----------
        key
            Of the kind of event and of change; it is looked at once.
        t
            The event's time.
        before, after
            States and integrals (N,) before and behind it.
        tangents
            Sensitivities (N, c) before it, along the seeds.
        slope
            Derivative (c,) of the event's time along them.
        p
            Parameters (m,), the nominal ones if not given.
        seeds
            Directions (m, c), those of the m parameters if not given.
        """
        if self._branches is None:
            return True
        if key not in self._seen:
            p = self.model.nominal if p is None else p
            seeds = np.eye(len(p)) if seeds is None else seeds
            given = (before, after, tangents, slope, p, seeds)
            numbers = (np.asarray(x, dtype=float) for x in given)
            self._seen[key] = self._look(self._branches, t, *numbers)
        return self._seen[key]

    def _look(
        self, branches: FrozenField, t: float, before: Array, after: Array, s: Array, slope: Array,
        nominal: Array, seeds: Array,
    ) -> bool:  # fmt: skip
        step, z, p = AHEAD * self.model.t_end, jnp.asarray(before), jnp.asarray(nominal)
        old = branches.decisions_ahead(t, z, p, -step)
        new = branches.decisions_ahead(t, jnp.asarray(after), p, step)
        rate = branches(t, z, p, old)

        def margins(t: Any, z: Any, p: Any) -> Any:
            return branches.margins(t, z, p, old)

        here = (jnp.asarray(t), z, p)
        value, speed = jax.jvp(margins, here, (jnp.ones(()), rate, jnp.zeros_like(p)))
        _, moving = jax.vmap(
            lambda column, seed: jax.jvp(margins, here, (jnp.zeros(()), column, seed)),
            in_axes=-1, out_axes=-1,
        )(jnp.asarray(s), jnp.asarray(seeds))  # fmt: skip
        turned = np.asarray(flat(old) != flat(new))
        turned = turned & (np.abs(value) <= NEAR * self.model.t_end * np.abs(speed))
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = -np.asarray(moving)[turned] / np.asarray(speed)[turned, None]
        size = np.max(np.abs(slope), initial=0.0) + np.max(np.abs(slopes), initial=0.0)
        return bool(np.all(np.abs(slopes - slope) <= ALIKE * size))
