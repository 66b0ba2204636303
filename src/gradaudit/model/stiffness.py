"""How stiff a model is along a solution: the fastest of its times, against the window."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.program_cache import identity_cache
from gradaudit.model.definition import Model

POINTS = 40
"""At so many of the observation times the Jacobian is looked at."""


def stiffness(model: Model, times: NDArray[Any], states: NDArray[Any]) -> float:
    """Largest |lambda| of f_y along `states` (T, n) at `times` (T,), times the window.

    The number of fast times in the window, dimensionless; NaN where the states are not finite.
    """
    if not np.all(np.isfinite(states)):
        return float("nan")
    chosen = np.unique(np.linspace(0, len(times) - 1, POINTS).astype(int))
    jacobians = np.asarray(_jacobians(model)(times[chosen], states[chosen]))
    if not np.all(np.isfinite(jacobians)):
        return float("nan")
    return float(np.max(np.abs(np.linalg.eigvals(jacobians))) * model.t_end)


@identity_cache
def _jacobians(model: Model) -> Any:
    """f_y (K, n, n) at K points."""
    p = jnp.asarray(model.nominal)
    return jax.jit(jax.vmap(lambda t, y: jax.jacfwd(lambda y: model.vector_field(t, y, p))(y)))
