"""Whether the steps of a solve see all of the vector field.

A Taylor series knows the vector field at the start of its step and nothing else. A pulse that is
exactly flat in floating point until it is near, or a kink in disguise such as ``sqrt(x**2)``, can
lie inside a step without a trace, in every precision alike. So the increment of a step is compared
with the integral over it of the vector field itself, evaluated by JAX along the dense output: that
neither shares the series nor the translation.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import jax
import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names, with_integrals

Array = NDArray[np.float64]
Field = Callable[[Array, Array, Array], Any]

PANEL = 1 / 2500
"""Of the window: no gap between two looks is longer than about a third of it."""

LARGEST_DEFECT = 1e-9
BATCH = 2048

_NODES, _WEIGHTS = leggauss(4)
_NODES, _WEIGHTS = 0.5 * (_NODES + 1.0), 0.5 * _WEIGHTS


def batched(model: Model) -> Field:
    """The vector field of states and integrals at many points; compiled when it is called."""
    return jax.jit(jax.vmap(with_integrals(model), in_axes=(0, 0, None)))


class Inspector:
    """Looks at the long steps of one solve; the short ones have nothing to hide.

    Parameters
    ----------
    field
        From `batched`.
    panel
        Length, of the window, of the pieces that a step is cut into; a step of less than half of
        it is not looked at.
    """

    def __init__(self, model: Model, field: Field, panel: float = PANEL) -> None:
        self.field, self.nominal, self.panel = field, model.nominal, panel * model.t_end
        self.size = model.n + len(integrand_names(model))
        self._times: list[Array] = []
        self._states: list[Array] = []
        self._weights: list[Array] = []
        self._increments: list[Array] = []

    def look(self, integrator: Any) -> None:
        """Take down the last step of an integrator."""
        end, step = float(integrator.time), float(integrator.last_h)
        if not np.isfinite(step) or step < 0.5 * self.panel:
            return
        pieces = ceil(step / self.panel - 1e-6)
        shares = ((np.arange(pieces)[:, None] + _NODES) / pieces).ravel()
        times = (end - step) + step * shares
        kind = type(integrator.time)
        states = np.empty((len(times), self.size))
        for row, time in zip(states, times, strict=True):
            row[:] = self._at(integrator, kind(time))
        self._times.append(times)
        self._states.append(states)
        self._weights.append(np.tile(_WEIGHTS * step / pieces, pieces))
        last = self._at(integrator, integrator.time)
        first = self._at(integrator, integrator.time - integrator.last_h)
        self._increments.append((last - first).astype(np.float64))

    def _at(self, integrator: Any, time: Any) -> NDArray[Any]:
        integrator.update_d_output(time)
        return integrator.d_output[: self.size].copy()

    def missed(self) -> float | None:
        """The time of the step that has the largest defect, or None where none has any."""
        if not self._times:
            return None
        times, states = np.concatenate(self._times), np.concatenate(self._states)
        weighted = np.concatenate(self._weights)[:, None] * self._rates(times, states)
        starts = np.cumsum([0, *map(len, self._times)])[:-1]
        passed = np.add.reduceat(np.abs(weighted), starts)
        defects = np.abs(np.array(self._increments) - np.add.reduceat(weighted, starts))
        scale = np.nanmax(np.abs(states), axis=0) + passed
        with np.errstate(divide="ignore", invalid="ignore"):
            # the vector field may be undefined at a point where the solution is smooth
            shares = np.nan_to_num(defects / scale, nan=0.0, posinf=0.0).max(axis=1)
        worst = int(shares.argmax())
        return float(np.mean(self._times[worst])) if shares[worst] > LARGEST_DEFECT else None

    def _rates(self, times: Array, states: Array) -> Array:
        rates = np.empty_like(states)
        for start in range(0, len(times), BATCH):
            here = slice(start, start + BATCH)
            count = len(times[here])
            some = np.resize(times[here], BATCH)
            points = np.resize(states[here], (BATCH, self.size))
            rates[here] = np.asarray(self.field(some, points, self.nominal))[:count]
        return rates
