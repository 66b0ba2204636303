"""Explicit Runge-Kutta steps of diffrax with their stages written out.

Diffrax runs the stages in a loop, which keeps compilation short. Where there are many tangents (13
states, 13 parameters) they cost twice what they cost through the same stages written one after the
other, because the compiler cannot fuse across iterations. The classes here are diffrax's own
tableaus, step control state and dense output; only the loop is gone. Steps agree with diffrax's to
rounding.
"""

from __future__ import annotations

from typing import Any

import diffrax
import jax.numpy as jnp
import numpy as np

from gradaudit.backend.shapes import ComplexStates, Flag, Scalar


class WrittenOut(diffrax.AbstractERK):
    """Mixin: `step` of an explicit Runge-Kutta method without a loop over its stages."""

    def init(
        self, terms: Any, t0: Scalar, t1: Scalar, y0: ComplexStates, args: Any
    ) -> ComplexStates | None:
        # Evaluated here, so that no step has to ask whether it is the first one.
        return terms.vf(t0, y0, args) if self.tableau.fsal else None

    def step(
        self,
        terms: Any,
        t0: Scalar,
        t1: Scalar,
        y0: ComplexStates,
        args: Any,
        solver_state: ComplexStates | None,
        made_jump: bool | Flag,
    ) -> tuple[ComplexStates, ComplexStates, dict[str, Any], ComplexStates | None, Any]:
        tableau = self.tableau
        dt = t1 - t0
        first = terms.vf(t0, y0, args) if solver_state is None else solver_state
        if made_jump is not False:
            first = jnp.where(made_jump, terms.vf(t0, y0, args), first)
        slopes = [first]
        stage = y0
        for row, c in zip(tableau.a_lower, tableau.c, strict=True):
            stage = y0 + dt * _combine(row, slopes)
            # not t0 + dt, which may be rounded to beyond a jump in front of which the step ends
            time = t1 if c == 1 else t0 + float(c) * dt
            slopes.append(terms.vf(time, stage, args))
        y1 = stage if tableau.ssal else y0 + dt * _combine(tableau.b_sol, slopes)
        error = dt * _combine(tableau.b_error, slopes)
        dense_info = {"y0": y0, "y1": y1, "k": dt * jnp.stack(slopes)}
        state = slopes[-1] if tableau.fsal else None
        return y1, error, dense_info, state, diffrax.RESULTS.successful


def _combine(weights: np.ndarray, slopes: list[ComplexStates]) -> ComplexStates:
    """Sum of weight times slope over the weights that are not zero."""
    terms: Any = (float(w) * k for w, k in zip(weights, slopes, strict=True) if w != 0.0)
    return sum(terms)


class Tsit5(WrittenOut, diffrax.Tsit5):
    """Tsitouras 5(4)."""


class Dopri8(WrittenOut, diffrax.Dopri8):
    """Dormand-Prince 8(7)."""


class Dopri5(WrittenOut, diffrax.Dopri5):
    """Dormand-Prince 5(4)."""


class Bosh3(WrittenOut, diffrax.Bosh3):
    """Bogacki-Shampine 3(2)."""


class Heun(WrittenOut, diffrax.Heun):
    """Heun 2(1), the explicit trapezoidal rule."""


class Midpoint(WrittenOut, diffrax.Midpoint):
    """The explicit midpoint rule, 2(1)."""


class Ralston(WrittenOut, diffrax.Ralston):
    """Ralston 2(1)."""
