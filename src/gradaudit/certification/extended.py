"""A solve in long double, and in quad precision where it has that, with bounds of its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.certificate import Bounds
from gradaudit.certification.heyoka.precision import (
    LONG_DOUBLE,
    QUAD,
    Precision,
    to_extended,
    to_quad,
)
from gradaudit.certification.variational import Solution
from gradaudit.records.results import Extended

Rows = NDArray[np.int64]


def extended(
    best: Solution,
    bounds: Bounds | None,
    rows: Rows,
    n: int,
    one_sided: NDArray[np.bool_],
    nought: NDArray[np.bool_] | None,
) -> Extended:
    """The first n states and their sensitivities at rows of a solve.

    Parameters
    ----------
    bounds
        Of the errors of the solve; None where nothing is known of them.
    one_sided
        Derivatives (T, N, m) that exist from one side only: nothing is certified of them.
    nought
        Parameters (m,) on which nothing depends.
    """
    values, derivatives = best.values[rows][:, :n], best.derivatives[rows][:, :n]
    one_sided, quad = one_sided[:, :n], None
    if bounds is None:
        wrong = np.full(values.shape, np.inf), np.full(derivatives.shape, np.inf)
    else:
        wrong = bounds.values[:, :n], bounds.derivatives[:, :n]
        if best.precision.name == QUAD.name:
            quad = _rounded(values, derivatives, wrong, QUAD, one_sided, nought)
    values, derivatives = (to_extended(part, best.precision) for part in (values, derivatives))
    found = _rounded(values, derivatives, wrong, LONG_DOUBLE, one_sided, nought)
    return replace(found, quad=quad)


def _rounded(
    values: Any, derivatives: Any, wrong: Any, precision: Precision, one_sided: Any, nought: Any
) -> Extended:
    """In a precision; twice the error of rounding to it is in the bounds."""
    sizes = tuple(np.abs(part.astype(np.float64)) for part in (values, derivatives))
    state_bounds, bounds = (
        np.nan_to_num((bound + precision.eps * size).astype(np.float64), nan=np.inf)
        for bound, size in zip(wrong, sizes, strict=True)
    )
    bounds[one_sided] = np.inf
    if nought is not None:
        # of a column that is zero beside its largest bound, an entry may exceed its own
        bounds[..., nought] += sizes[1][..., nought]
        derivatives = derivatives.copy()
        derivatives[..., nought] = precision.number(0.0)
    return Extended(
        states=values,
        sensitivities=derivatives,
        state_bounds=state_bounds,
        sensitivity_bounds=bounds,
    )


PARTS = ("states", "sensitivities", "state_bounds", "sensitivity_bounds")


def joined(parts: Sequence[Extended]) -> Extended:
    """One after another in time; in quad precision, too, if one of them is."""
    quad = None
    if any(own.quad is not None for own in parts):
        quad = _joined([own.quad or _lifted(own) for own in parts])
    return replace(_joined(parts), quad=quad)


def _joined(parts: Sequence[Extended]) -> Extended:
    whole: dict[str, Any] = {
        own: np.concatenate([getattr(part, own) for part in parts]) for own in PARTS
    }
    return Extended(**whole)


def _lifted(found: Extended) -> Extended:
    return replace(
        found,
        states=to_quad(found.states, LONG_DOUBLE),
        sensitivities=to_quad(found.sensitivities, LONG_DOUBLE),
    )


def repeated(row: Extended, count: int) -> Extended:
    """A steady state at several times; in quad precision, too, if it is known in that."""
    rows: dict[str, Any] = {own: np.repeat(getattr(row, own), count, axis=0) for own in PARTS}
    return Extended(**rows, quad=None if row.quad is None else repeated(row.quad, count))
