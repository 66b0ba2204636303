"""How wrong a Fisher information is: its standard errors and eigenvalues against certified ones."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.evaluation.information import FisherInformation

Array = NDArray[np.float64]

QUANTITIES = ("standard_error", "eigenvalue", "condition")


def information_errors(found: FisherInformation, exact: FisherInformation | None) -> dict[str, Any]:
    """Values, relative errors, and whether the bars hold the certified values.

    Values are those that one computes without bars, also where these are open: the error is that of
    who trusts them. Errors are |found - exact| / |exact|, where both are finite and the certified
    value has bars that exclude 0; NaN elsewhere.

    Parameters
    ----------
    exact
        The certified one; None where there is none.

    Returns
    -------
    dict
        ``standard_errors``, ``eigenvalues`` (K,) and ``condition``;
        ``standard_error_errors``, ``eigenvalue_errors`` (K,) and ``condition_error``; ``worst_...``
        of the first two, NaN where none is known. ``resolved`` counts the eigenvalues that are
        surely above 0. ``compared`` counts the certified values of all three kinds, and ``held``
        those that the bars of `found` hold. ``bars_hold`` is whether these are all, None without
        any, or where nothing was found.
    """
    values, bars = _plain(found), _bars(found)
    known = {name: np.full(len(own), np.nan) for name, own in values.items()}
    certified_bars = {name: np.full((len(own), 2), np.nan) for name, own in values.items()}
    if exact is not None:
        certified_bars = _bars(exact)
        known = {
            name: np.where(certified_bars[name][:, 0] > 0.0, own, np.nan)
            for name, own in _values(exact).items()
        }
    known = {name: np.where(np.isfinite(own), own, np.nan) for name, own in known.items()}
    with np.errstate(invalid="ignore"):
        errors = {
            name: np.where(np.isfinite(values[name]), np.abs(values[name] / own - 1.0), np.nan)
            for name, own in known.items()
        }
    there = not found.status.startswith("no result")
    compared = sum(int(np.isfinite(own).sum()) for own in known.values()) if there else 0
    # two bars that overlap do not contradict one another
    held = sum(
        int(
            np.sum(
                np.isfinite(own)
                & (bars[name][:, 0] <= certified_bars[name][:, 1])
                & (bars[name][:, 1] >= certified_bars[name][:, 0])
            )
        )
        for name, own in known.items()
    )
    return {
        "standard_errors": values["standard_error"].tolist(),
        "eigenvalues": values["eigenvalue"].tolist(),
        "condition": float(values["condition"][0]),
        "standard_error_errors": errors["standard_error"].tolist(),
        "eigenvalue_errors": errors["eigenvalue"].tolist(),
        "condition_error": float(errors["condition"][0]),
        "worst_standard_error": _worst(errors["standard_error"]),
        "worst_eigenvalue": _worst(errors["eigenvalue"]),
        "resolved": int(found.resolved.sum()),
        "resolution": float(found.resolution),
        "compared": compared,
        "held": held if there else 0,
        "bars_hold": held == compared if compared else None,
    }


def standard_errors(rows: Array) -> Array:
    """Roots of the diagonal of (A^T A)^-1 of A (N, K), by singular values; (K,).

    Infinite where A is singular in float64, and NaN where it is not finite.
    """
    count = rows.shape[1]
    if not np.all(np.isfinite(rows)):
        return np.full(count, np.nan)
    lengths = np.linalg.norm(rows, axis=0)
    if len(rows) < count or not np.all(lengths > 0.0):
        return np.full(count, np.inf)
    _, singular, right = np.linalg.svd(rows / lengths, full_matrices=False)
    if not singular[-1] > max(rows.shape) * np.finfo(np.float64).eps * singular[0]:
        return np.full(count, np.inf)
    found: Array = np.linalg.norm(right.T / singular, axis=1) / lengths
    return found


def _plain(found: FisherInformation) -> dict[str, Array]:
    """Standard errors, eigenvalues and condition, whatever the bars are."""
    values = found.eigenvalues
    with np.errstate(divide="ignore", invalid="ignore"):
        condition = values[:1] / values[-1:]
    own = (standard_errors(found.rows), values, condition)
    return dict(zip(QUANTITIES, own, strict=True))


def _values(found: FisherInformation) -> dict[str, Array]:
    own = (found.standard_errors, found.eigenvalues, np.array([found.condition]))
    return dict(zip(QUANTITIES, own, strict=True))


def _bars(found: FisherInformation) -> dict[str, Array]:
    own = (found.standard_error_bars, found.eigenvalue_bars, np.array([found.condition_bar]))
    return dict(zip(QUANTITIES, own, strict=True))


def _worst(errors: Array) -> float:
    known = errors[np.isfinite(errors)]
    return float(known.max()) if known.size else float("nan")
