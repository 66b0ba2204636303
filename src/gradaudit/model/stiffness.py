"""How stiff a model is along a solution: the fastest of its times, against the window."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jax_setup import UNOPTIMISED, compile_for
from gradaudit.backend.program_cache import identity_cache
from gradaudit.model.definition import Model

POINTS = 40
"""At so many of the observation times the Jacobian is looked at."""


def stiffness(model: Model, times: NDArray[Any], states: NDArray[Any]) -> float:
    """Largest |lambda| of f_y along `states` (T, n) at `times` (T,), times the window.

    The number of fast times in the window, dimensionless; NaN where the states are not finite.
    """
    return float(np.max(_rates(model, times, states)) * model.t_end)


def fast_times(model: Model, times: NDArray[Any], states: NDArray[Any]) -> float:
    """Mean over the observation times of the largest |lambda| of f_y, times the window.

    An explicit method of order 5 whose steps stability limits needs a third as many steps.
    """
    return float(np.mean(_rates(model, times, states)) * model.t_end)


def _rates(model: Model, times: NDArray[Any], states: NDArray[Any]) -> NDArray[Any]:
    """Largest |lambda| at some of the times; NaN where it is not known."""
    if not np.all(np.isfinite(states)):
        return np.array([np.nan])
    chosen = np.unique(np.linspace(0, len(times) - 1, POINTS).astype(int))
    jacobians = np.asarray(_jacobians(model, len(chosen))(times[chosen], states[chosen]))
    if not np.all(np.isfinite(jacobians)):
        return np.array([np.nan])
    rates: NDArray[Any] = np.max(np.abs(np.linalg.eigvals(jacobians)), axis=-1)
    return rates


@identity_cache
def _jacobians(model: Model, count: int) -> Any:
    """f_y (K, n, n) at K = `count` points: of t (K,) and y (K, n)."""
    p = jnp.asarray(model.nominal)
    at_points = jax.vmap(lambda t, y: jax.jacfwd(lambda y: model.vector_field(t, y, p))(y))
    return compile_for(at_points, (jnp.zeros(count), jnp.zeros((count, model.n))), UNOPTIMISED)
