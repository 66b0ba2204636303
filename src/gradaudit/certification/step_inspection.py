"""Whether the steps of a solve see all of the vector field.

A Taylor series knows the vector field at the start of its step and nothing else. A pulse that is
exactly flat in floating point until it is near, or a kink in disguise such as ``sqrt(x**2)``, can
lie inside a step without a trace, in every precision alike. So the increment of a step is compared
with the integral over it of the vector field itself, evaluated by JAX along the dense output: that
neither shares the series nor the translation. The same is done for the sensitivities along one
direction of the parameters (`gradaudit.certification.tangent_system`), since a pulse whose
amplitude is a parameter that is 0 shows in them alone.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray

from gradaudit.backend.program_cache import identity_cache
from gradaudit.certification.heyoka.precision import DOUBLE, LONG_DOUBLE, QUAD, to_float64
from gradaudit.certification.pulse_terms import Path, needs_path
from gradaudit.certification.rounding_check import RoundingCheck
from gradaudit.certification.tangent_system import along
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names, with_integrals

Array = NDArray[np.float64]
Field = Callable[[Array, Array, Array], Any]

PANEL = 1 / 2500
"""Of the window: no gap between two looks is longer than about a third of it."""

LARGEST_DEFECT = 1e-9
FAINT = 1e-4
BATCH = 2048

ROUNDING = 10.0
"""How much larger than seen at a few points the rounding of the rates may be in a step."""

MOVED = 1e-12
"""Of the arguments of an event function: what so much of them changes in it may be rounding."""

FEW, MANY = 4, 16
"""Nodes of a panel: as many as show a pulse, and as many as integrate a fast, smooth term."""


def batched(model: Model) -> Field:
    """The vector field of states and integrals at many points; compiled when it is called."""
    return jax.jit(jax.vmap(with_integrals(model), in_axes=(0, 0, None)))


@identity_cache
def triggers(model: Model) -> Field:
    """The event functions at many points, compiled when they are called."""

    def values(t: Any, y: Any, p: Any) -> Any:
        found = [event.when(t, y, p) for event in model.events.values()]
        return jnp.stack([jnp.asarray(value, dtype=float) for value in found])

    return jax.jit(jax.vmap(values, in_axes=(0, 0, None)))


class Inspector:
    """Looks at the long steps of one solve; the short ones have nothing to hide.

    Parameters
    ----------
    model
        That is solved.
    directions
        Of the parameters, (d, m).
    tangents, field
        Its tangent system along these, and the vector field of that, from `batched`.
    panel
        Length, of the window, of the pieces that a step is cut into; a step of less than half of
        it is not looked at.
    nodes
        Gauss nodes of a piece.
    """

    def __init__(
        self,
        model: Model,
        directions: Array,
        tangents: Model,
        field: Field,
        panel: float = PANEL,
        nodes: int = FEW,
    ) -> None:
        points, weights = leggauss(nodes)
        self.nodes, self.weights = 0.5 * (points + 1.0), 0.5 * weights
        self.model, self.tangents, self.directions = model, tangents, directions
        self.field, self.nominal, self.panel = field, model.nominal, panel * model.t_end
        self.size = tangents.n + len(integrand_names(tangents))
        self.eps = DOUBLE.eps
        self._times: list[Array] = []
        self._states: list[Array] = []
        self._weights: list[Array] = []
        self._increments: list[Array] = []
        self.starts: list[float] = []  # of all steps
        self.lengths: list[float] = []
        self._path: list[tuple[Any, Array]] | None = [] if needs_path(model) else None

    @property
    def path(self) -> Path | None:
        """Of the solve, at the ends of all steps and where they are looked at."""
        if not self._path:
            return None
        times, states = zip(*self._path, strict=True)
        return Path(np.concatenate(times), np.concatenate(states))

    def look(self, integrator: Any) -> None:
        """Take down the last step of an integrator."""
        end, step = float(integrator.time), float(integrator.last_h)
        self.starts.append(end - step)
        self.lengths.append(step)
        if not np.isfinite(step):
            return
        long = step >= 0.5 * self.panel
        if not long and self._path is None:
            return
        pieces = ceil(step / self.panel - 1e-6) if long else 0
        shares = ((np.arange(pieces)[:, None] + self.nodes) / max(pieces, 1)).ravel()
        times = (end - step) + step * shares
        kind = type(integrator.time)
        if kind is np.longdouble:
            self.eps = LONG_DOUBLE.eps
        elif kind is not float:
            self.eps = QUAD.eps
        count = self.size // (1 + len(self.directions)) * (1 + self.model.m)
        whole = np.empty((len(times) + 2, count), dtype=integrator.state.dtype)
        ends = integrator.time - integrator.last_h, integrator.time
        for row, time in zip(whole, [*map(kind, times), *ends], strict=True):
            integrator.update_d_output(time)
            row[:] = integrator.d_output[:count]
        if self._path is not None:
            n = self.model.n
            states = np.concatenate([whole[-2:-1, :n], whole[:-2, :n], whole[-1:, :n]])
            self._path.append(([end - step, *times, end], to_float64(states)))
        if not long:
            return
        self._times.append(times)
        self._states.append(self._along(to_float64(whole[:-2])))
        self._weights.append(np.tile(self.weights * step / pieces, pieces))
        self._increments.append(self._along(to_float64(whole[-1:] - whole[-2:-1]))[0])

    def _along(self, whole: Array) -> Array:
        size = self.size // (1 + len(self.directions))
        return along(whole, self.model.n, size, self.directions)

    def missed(self) -> float | None:
        """The time of the step that has the largest defect, or None where none has any."""
        if not self._times:
            return None
        times, states = np.concatenate(self._times), np.concatenate(self._states)
        unnoticed = self._unnoticed(times, states[:, : self.model.n])
        if unnoticed is not None:
            return unnoticed
        weights, rates = np.concatenate(self._weights)[:, None], self._rates(times, states)
        shares = self._defects(weights, rates, states)
        if not np.any(shares > LARGEST_DEFECT):
            return None
        # Before something is said of the vector field: is it the rounding of its values?
        suspect = np.repeat(shares > LARGEST_DEFECT, [len(x) for x in self._times])
        check = RoundingCheck(self.tangents)
        resolved, rough = check.resolved(times[suspect], states[suspect], rates[suspect])
        explained = ~np.isnan(resolved)
        rates[suspect] = np.where(explained, resolved, rates[suspect])
        # The solve itself evaluates the same formula, in its own precision.
        noise = np.zeros_like(rates)
        noise[suspect] = np.where(explained, ROUNDING * rough * self.eps / DOUBLE.eps, 0.0)
        shares = self._defects(weights, rates, states, noise)
        worst = int(shares.argmax())
        return float(np.mean(self._times[worst])) if shares[worst] > LARGEST_DEFECT else None

    def _unnoticed(self, times: Array, states: Array) -> float | None:
        """A time at which an event function has turned within a step, which an event would end.

        Its Taylor series at the start of a long step does not show a narrow pulse of it.
        """
        if not self.model.events:
            return None
        values = self._triggers(times, states)
        signs = np.where(np.random.default_rng(7).random(states.shape) < 0.5, -1.0, 1.0)
        moved = self._triggers(times * (1.0 + MOVED), states * (1.0 + MOVED * signs))
        clear = np.abs(values) > np.abs(moved - values) + MOVED * np.abs(values).max(axis=0)
        directions = np.array([event.direction for event in self.model.events.values()])
        before, after = values[:-1], values[1:]
        turned = (before * after < 0.0) & (directions * after >= 0.0) & clear[:-1] & clear[1:]
        begun = np.cumsum([len(x) for x in self._times])[:-1]
        turned[begun - 1] = False  # from one step to the next an event may have happened
        rows = turned.any(axis=1)
        return float(times[1:][rows][0]) if rows.any() else None

    def _triggers(self, times: Array, states: Array) -> Array:
        """The event functions (K, E) at points."""
        function, values = triggers(self.model), []
        for start in range(0, len(times), BATCH):
            some = slice(start, start + BATCH)
            points = np.resize(times[some], BATCH), np.resize(states[some], (BATCH, self.model.n))
            values.append(np.asarray(function(*points, self.nominal))[: len(times[some])])
        return np.concatenate(values)

    def _defects(
        self, weights: Array, rates: Array, states: Array, noise: Array | float = 0.0
    ) -> Array:
        """Of each step, the largest difference of its increment and the integral of the rates.

        Less what `noise` of the rates (K, N) may amount to.
        """
        weighted = weights * rates
        starts = np.cumsum([0, *map(len, self._times)])[:-1]
        passed = np.add.reduceat(np.abs(weighted), starts)
        defects = np.abs(np.array(self._increments) - np.add.reduceat(weighted, starts))
        if np.ndim(noise):
            defects = defects - np.add.reduceat(weights * noise, starts)
        scale = self._floored(np.nanmax(np.abs(states), axis=0) + passed)
        with np.errstate(divide="ignore", invalid="ignore"):
            # the vector field may be undefined at a point where the solution is smooth
            return np.nan_to_num(defects / scale, nan=0.0, posinf=0.0).max(axis=1)

    def _floored(self, scale: Array) -> Array:
        """Scales (steps, N) of which those of tangents are no smaller than `FAINT` of the states'.

        A tangent that vanishes is rounding of its terms, and its defect no share of anything.
        """
        n, count = self.model.n, len(self.directions)
        states, integrals = scale[:, :n], scale[:, n * (1 + count) :]
        integrals = integrals[:, : integrals.shape[1] // (1 + count)]
        least = [0.0 * states, *[states] * count, 0.0 * integrals, *[integrals] * count]
        return np.maximum(scale, FAINT * np.concatenate(least, axis=1))

    def _rates(self, times: Array, states: Array) -> Array:
        rates = np.empty_like(states)
        for start in range(0, len(times), BATCH):
            here = slice(start, start + BATCH)
            count = len(times[here])
            some = np.resize(times[here], BATCH)
            points = np.resize(states[here], (BATCH, self.size))
            rates[here] = np.asarray(self.field(some, points, self.nominal))[:count]
        return rates
