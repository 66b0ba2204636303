"""The functionals whose gradients are judged, made from the certified observations of a model."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradaudit.evaluation.functional import Functional

NOISE = 0.05  # of a state's range: the standard deviation of synthetic data
REMAINS = 1e-3  # of a residual's component along the sensitivities, near the optimum
SEED = 7


def functionals(times: Any, z: Any, s: Any, n: int) -> list[Functional]:
    """Five functionals of certified observations z (T, N) with scaled sensitivities s (T, N, m).

    ``end_norm``
        Norm of the n states at the end, each over its largest value.
    ``end_smallest``
        The end value of the state that is smallest over the window, of those that are not 0.
    ``average``
        Average over time of the first integrand.
    ``fit``
        Sum of squares to data: the exact states with noise.
    ``optimum``
        The same with data whose residuals are all but orthogonal to the sensitivities, as they are
        at the optimum of a fit: the terms of the gradient cancel.
    """
    size = np.max(np.abs(z[:, :n]), axis=0)
    moving = size > 0
    made = [_end_norm(z, np.where(moving, size, np.inf), n)]
    if moving.sum() > 1:
        smallest = int(np.argmin(np.where(moving, size, np.inf)))
        weights = np.zeros_like(z)
        weights[-1, smallest] = 1.0
        made.append(_linear("end_smallest", weights))
    if z.shape[1] > n:
        weights = np.zeros_like(z)
        weights[-1, n] = 1.0 / times[-1]
        made.append(_linear("average", weights))
    deviation = NOISE * np.ptp(z[:, :n], axis=0)
    used = deviation > 0
    if used.any():
        noise = np.random.default_rng(SEED).standard_normal((len(times), n))
        unit = np.where(used, deviation, np.inf)
        made.append(_squares("fit", z, noise * deviation, unit, n))
        slopes = (s[:, :n] / unit[:, None]).reshape(-1, s.shape[-1])
        basis, sizes, _ = np.linalg.svd(slopes, full_matrices=False)
        basis = basis[:, sizes > 1e-10 * max(sizes[0], 1e-300)]
        whitened = np.where(used, noise, 0.0).reshape(-1)
        along = basis @ (basis.T @ whitened)
        residual = (whitened - (1.0 - REMAINS) * along).reshape(len(times), n)
        made.append(_squares("optimum", z, residual * deviation, unit, n))
    return made


def _end_norm(z: Any, size: Any, n: int) -> Functional:
    def value(z: Any) -> float:
        return float(np.linalg.norm(z[-1, :n] / size))

    def weights(z: Any) -> Any:
        phi = np.zeros_like(z)
        norm = value(z)
        phi[-1, :n] = z[-1, :n] / size**2 / (norm if norm > 0 else 1.0)
        return phi

    return Functional(
        name="end_norm", kind="terminal", value=value, weights=weights,
        natural_weights=np.abs(weights(z)),
    )  # fmt: skip


def _linear(name: str, weights: Any) -> Functional:
    return Functional(
        name=name, kind="terminal", value=lambda z: float(np.sum(weights * z)),
        weights=lambda z: weights, natural_weights=np.abs(weights),
    )  # fmt: skip


def _squares(name: str, z: Any, residual: Any, unit: Any, n: int) -> Functional:
    data = z[:, :n] - residual
    natural = np.zeros_like(z)
    natural[:, :n] = np.where(np.isfinite(unit), 2.0 / unit, 0.0)

    def weights(z: Any) -> Any:
        phi = np.zeros_like(z)
        phi[:, :n] = 2.0 * (z[:, :n] - data) / unit**2
        return phi

    return Functional(
        name=name, kind="trace_sse", weights=weights, natural_weights=natural,
        value=lambda z: float(np.sum(((z[:, :n] - data) / unit) ** 2)),
    )  # fmt: skip
