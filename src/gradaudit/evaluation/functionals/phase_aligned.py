"""Misfit of a trace after the best shift and stretch of time.

A wrong period makes residuals that grow with time, and a sum of squares sees little else. To first
order a shift by a and a stretch by b change the trace by (a + b t) dy/dt. So both directions are
taken out of the residual r = (y - data) / range, by least squares over all states and times:

    J = |r|^2 - |Q' r|^2,    Q an orthonormal basis of (dy/dt / range, t dy/dt / range)

dy/dt is that of a cubic spline through the certified trace, so that Q is fixed, J a quadratic form
of the observations and its gradient exact. The secular part of the sensitivities of a limit cycle,
-(t/T) (dT/dp) dy/dt, has no weight in it.
"""

from __future__ import annotations

import numpy as np

from gradaudit.evaluation.functional import Array, Context, Functional
from gradaudit.evaluation.functional_family import Family
from gradaudit.evaluation.oscillation import oscillating


def functionals(context: Context) -> list[Functional]:
    """One, over all states that move, where an observable oscillates; the data are noisy."""
    extent = np.ptp(context.exact, axis=0)
    moving = np.flatnonzero(extent > 0.0)
    if not oscillating(context):
        return []
    data, extent = context.data[:, moving], extent[moving]
    basis = _basis(context.times, context.exact[:, moving], extent)

    def aligned(z: Array) -> Array:
        residual = ((z[:, moving] - data) / extent).ravel()
        left: Array = residual - basis @ (basis.T @ residual)
        return left

    def weights(z: Array) -> Array:
        phi = np.zeros_like(z)
        phi[:, moving] = 2.0 * aligned(z).reshape(data.shape) / extent
        return phi

    natural = np.zeros_like(context.observations)
    natural[:, moving] = 2.0 * context.settings["noise"] / extent
    return [
        Functional(
            name="phase_aligned",
            kind="phase_aligned",
            value=lambda z: float(np.sum(aligned(z) ** 2)),
            weights=weights,
            natural_weights=natural,
        )
    ]


def _basis(times: Array, trace: Array, extent: Array) -> Array:
    """Orthonormal directions (T n, 2) of a shift and a stretch of time."""
    from scipy.interpolate import CubicSpline

    rate = CubicSpline(times, trace, axis=0)(times, 1) / extent
    stretch = rate * (times / times[-1])[:, None]
    basis: Array = np.linalg.qr(np.stack([rate.ravel(), stretch.ravel()], axis=1))[0]
    return basis


FAMILY = Family(
    name="phase_aligned",
    label="sum of squares without the shift",
    rank=60,
    value="sum of squared residuals after the best shift and stretch of time",
    purpose="models of which an observable oscillates",
    group="phase-invariant",
    functionals=functionals,
    naming=lambda _: "sum of squares without the shift",
)
