"""What an external solver gives, as the `Sensitivities` that all methods return."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradaudit.records.results import Array, Sensitivities
from gradaudit.sensitivity.assemble import failed

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
    n = model.n
    stats = {"steps": np.nan, "accepted": np.nan, "rejected": np.nan, "seconds": 0.0, **stats}
    if status == "ok" and not (_finite(states) and _finite(tangents)):
        status = "non_finite"
    if status != "ok" or states is None or tangents is None:
        return replace(failed(request, status), stats=stats)
    tangents = tangents / model.parameter_scale
    return Sensitivities(
        times=times,
        states=states[:, :n],
        sensitivities=tangents[:, :n],
        integrals=states[:, n:],
        integral_sensitivities=tangents[:, n:],
        indicator=float("nan"),
        status=status,
        stats=stats,
    )


def _finite(values: Array | None) -> bool:
    return values is not None and bool(np.all(np.isfinite(values)))
