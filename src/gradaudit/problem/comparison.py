"""How wrong a gradient of a problem is, and which measurements the error comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gradaudit.evaluation.gradient_error import norm, ratio
from gradaudit.problem.certified import ReferenceGradient
from gradaudit.problem.gradient import Gradient

Array = NDArray[np.float64]

MARGIN = 10.0
"""An error this many times above the reference's own is known to a tenth."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A gradient against the certified one, on the estimation scale; norms are Euclidean.

    Attributes
    ----------
    error
        |g_h - g| over `scale`; NaN where one of them is not known.
    resolution
        The error of the certified gradient itself, |bounds| over `scale`; infinite where nothing is
        certified.
    scale
        |g|; the norm of the sums of the absolute values of the terms if |g| is a fraction below
        `cancellation` of it, as a gradient is that vanishes.
    cosine
        Of the angle between g_h and g.
    parameter, parameter_error
        The parameter whose entry has the largest relative error, of those that are certified to a
        digit and do not vanish; "" and NaN where none is.
    conditions, observables
        Shares of the error, the largest first: with e the error and e_i the part of it that is due
        to the measurements i, the share is e_i e / |e|^2. They add up to 1, and one can be negative
        or above 1 where parts cancel. Empty where the error is not resolved.
    """

    error: float
    resolution: float
    scale: float
    cosine: float = math.nan
    parameter: str = ""
    parameter_error: float = math.nan
    conditions: Mapping[str, float] = field(default_factory=dict)
    observables: Mapping[str, float] = field(default_factory=dict)

    @property
    def resolved(self) -> bool:
        """Whether the error is that of the gradient, and not that of the reference."""
        return self.error > MARGIN * self.resolution


UNKNOWN = Comparison(error=math.nan, resolution=math.inf, scale=math.nan)
"""Where there is no reference."""


def compare(
    found: Gradient, exact: ReferenceGradient | None, *, cancellation: float = 1e-9
) -> Comparison:
    """The error of a gradient, by measurements.

    Parameters
    ----------
    exact
        At the same point; None where there is no reference.
    cancellation
        A gradient below this fraction of the size of its terms is taken for zero.
    """
    if exact is None or not np.all(np.isfinite(exact.gradient)):
        return UNKNOWN
    size, terms = norm(exact.gradient), norm(exact.sizes)
    scale = size if size > cancellation * terms else terms
    bounds = exact.bounds
    resolution = ratio(norm(bounds), scale) if np.all(np.isfinite(bounds)) else math.inf
    wrong = found.gradient - exact.gradient
    if not np.all(np.isfinite(wrong)):
        return Comparison(error=math.nan, resolution=resolution, scale=scale)
    parameter, parameter_error = _worst_entry(found, exact)
    plain = Comparison(
        error=ratio(norm(wrong), scale),
        resolution=resolution,
        scale=scale,
        cosine=_cosine(found.gradient, exact.gradient),
        parameter=parameter,
        parameter_error=parameter_error,
    )
    if not plain.resolved:
        return plain
    parts = {
        pair: float((own - exact.by_observable[pair][1]) @ wrong) / float(wrong @ wrong)
        for pair, (_, own) in found.by_observable.items()
    }
    return Comparison(
        **{name: getattr(plain, name) for name in ("error", "resolution", "scale", "cosine")},
        parameter=parameter,
        parameter_error=parameter_error,
        conditions=_summed(parts, 0),
        observables=_summed(parts, 1),
    )


def _worst_entry(found: Gradient, exact: ReferenceGradient) -> tuple[str, float]:
    known = np.isfinite(exact.digits.per_entry) & (exact.bounds <= 0.1 * np.abs(exact.gradient))
    wrong = np.abs(found.gradient - exact.gradient)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(wrong == 0.0, 0.0, wrong / np.abs(exact.gradient))
    relative = np.where(known, relative, np.nan)
    if np.all(np.isnan(relative)):
        return "", math.nan
    index = int(np.nanargmax(relative))
    return found.parameters[index], float(relative[index])


def _cosine(a: Array, b: Array) -> float:
    norms = norm(a) * norm(b)
    return float(a @ b / norms) if norms > 0.0 else math.nan


def _summed(parts: Mapping[tuple[str, str], float], position: int) -> dict[str, float]:
    """Shares by condition or by observable, the largest first."""
    found: dict[str, float] = {}
    for pair, share in parts.items():
        found[pair[position]] = found.get(pair[position], 0.0) + share
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))
