"""What a witness found, as the `Sensitivities` that all methods return."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradaudit.model.quadratures import integrand_names
from gradaudit.records.results import Array, Sensitivities

if TYPE_CHECKING:
    from gradaudit.sensitivity.request import Request


def outcome(
    request: Request,
    *,
    states: Array | None,
    tangents: Array | None,
    status: str,
    stats: dict[str, float],
) -> Sensitivities:
    """The result, NaN throughout unless `status` is "ok" and every entry is finite.

    Parameters
    ----------
    states, tangents
        Of states and integrals, (T, n + k), and p_j d/dp_j of them, (T, n + k, m); None where
        there are none.
    """
    model, times = request.model, request.times
    n, size = model.n, model.n + len(integrand_names(model))
    if states is None or tangents is None:
        states, tangents = np.array(np.nan), np.array(np.nan)
    if status == "ok" and not (np.all(np.isfinite(states)) and np.all(np.isfinite(tangents))):
        status = "non_finite"
    if status != "ok":
        states = np.full((len(times), size), np.nan)
        tangents = np.full((len(times), size, model.m), np.nan)
    tangents = tangents / model.parameter_scale
    return Sensitivities(
        times=times,
        states=states[:, :n],
        sensitivities=tangents[:, :n],
        integrals=states[:, n:],
        integral_sensitivities=tangents[:, n:],
        indicator=float("nan"),
        status=status,
        stats={"steps": np.nan, "accepted": np.nan, "rejected": np.nan, "seconds": 0.0, **stats},
    )
