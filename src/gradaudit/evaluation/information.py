"""Fisher information from a Jacobian with errors: eigenvalues, standard errors, and bars for each.

A (N, K) is the Jacobian of the simulated values over their noise, so that F = A^T A. What is known
of the true Jacobian is |A* - A| <= E, entry by entry. The bars are rigorous for every A* within E:
no first-order term stands for the whole. Two bounds are used, and the better one counts.

Weyl: a singular value of A moves by |E| at most, the spectral norm. This is a bound of F's
eigenvalues that loses half the digits that the same bound for F itself loses.

Multiplicative (Ostrowski): if A has full rank, A* = (I + X) A with X = (A* - A) A^+. With |X| <= t,
``(1 - t)^2 F <= F* <= (1 + t)^2 F`` as quadratic forms. So every eigenvalue of F is known to these
factors and every standard error to 1 / (1 + t) and 1 / (1 - t), whatever the units of the
parameters. The number t is the resolution. From 1 on the error may make F singular: nothing above
a lower bound is known of a standard error then.

A standard error has a bound of its own, since ``1 / SE_k`` is the least |A z| with z_k = 1. With z0
where this is attained, ``1 / SE_k* <= 1 / SE_k + |E |z0||``; and, as the others' columns turn by an
angle whose sine is at most t / (1 - t),
``1 / SE_k* >= sqrt(1 - (t / (1 - t))^2) / SE_k - |E |z0||``.

Source: Stewart and Sun, Matrix Perturbation Theory (1990); Ipsen, Acta Numerica 7 (1998), 151-201,
for multiplicative bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from gradaudit.errors import first_few

Array = NDArray[np.float64]

EPSILON = float(np.finfo(np.float64).eps)
OK = "ok"

SAFETY = 4.0
"""Of estimated errors, which are distances to a solve of half the step length."""

ROUNDING = 64.0 * EPSILON
"""Of an entry of a Jacobian by a solver."""


@dataclass(frozen=True, kw_only=True)
class FisherInformation:
    """F = A^T A, and what follows from it, each with a bar that holds the true value.

    Bars are (low, high). They hold if ``row_errors`` does; `source` says what these are.

    Attributes
    ----------
    matrix, matrix_error
        F (K, K), and a bound of the error of each entry.
    parameters
        Names, K.
    eigenvalues, eigenvalue_bars
        Of F, the largest first, (K,) and (K, 2). One that is not resolved has the lower end 0.
    eigenvectors
        (K, K), the i-th column to the i-th eigenvalue.
    standard_errors, standard_error_bars
        Roots of the diagonal of the inverse of F, (K,) and (K, 2). NaN with an infinite upper end
        where they are not resolved; infinite where the parameter is not identifiable.
    condition, condition_bar
        The largest eigenvalue over the smallest; NaN and infinite as above.
    resolution
        t of the module's text: the relative error of a root of F in any direction. Infinite where
        nothing is known.
    source
        "certified": bounds of certified sensitivities. "estimated": an estimate, with a safety
        factor. "given": what the caller has stated.
    status
        "ok"; "not resolved: ..." where a bar is open; "not identifiable: ..." where F is singular
        whatever the errors; "no result: ...".
    rows, row_errors
        A and E, (N, K).
    """

    matrix: Array
    matrix_error: Array
    parameters: tuple[str, ...]
    eigenvalues: Array
    eigenvalue_bars: Array
    eigenvectors: Array
    standard_errors: Array
    standard_error_bars: Array
    condition: float
    condition_bar: tuple[float, float]
    resolution: float
    source: str
    status: str
    rows: Array
    row_errors: Array

    @property
    def resolved(self) -> NDArray[np.bool_]:
        """Which eigenvalues are surely above 0, (K,)."""
        return self.eigenvalue_bars[:, 0] > 0.0

    def direction(self, index: int, most: int = 3) -> str:
        """The parameters that an eigenvector moves most, for messages."""
        vector = self.eigenvectors[:, index]
        order = np.argsort(-np.abs(vector))[:most]
        named = [k for k in order if abs(vector[k]) >= 0.1]
        return ", ".join(f"{vector[k]:+.2f} {self.parameters[k]}" for k in named)

    def __str__(self) -> str:
        lines = [f"Fisher information, {len(self.parameters)} parameters: {self.status}"]
        width = max((len(name) for name in self.parameters), default=0)
        for k, name in enumerate(self.parameters):
            low, high = self.standard_error_bars[k]
            lines.append(
                f"  {name:{width}}  standard error {_word(self.standard_errors[k])}"
                f"  in [{low:.4g}, {high:.4g}]"
            )
        low, high = self.condition_bar
        lines.append(f"  condition {_word(self.condition)}  in [{low:.4g}, {high:.4g}]")
        return "\n".join(lines)


def _word(number: float) -> str:
    return "not resolved" if np.isnan(number) else f"{number:.4g}"


def information(
    rows: Array, errors: Array, parameters: Sequence[str], *, source: str, reason: str = ""
) -> FisherInformation:
    """Fisher information from standardised rows A (N, K) and bounds E of their errors, (N, K).

    Parameters
    ----------
    source
        See `FisherInformation`.
    reason
        Why there is no result, or none with bars; then all bars are open.
    """
    names = tuple(parameters)
    rows = np.asarray(rows, dtype=np.float64)
    errors = np.where(np.isnan(errors), np.inf, errors)
    if not np.all(np.isfinite(rows)):
        return _nothing(rows, names, source, reason or "the Jacobian is not finite")
    if reason:
        errors = np.full(rows.shape, np.inf)
    still = ~(np.any(rows != 0.0, axis=0) | np.any(errors != 0.0, axis=0))
    moving = np.flatnonzero(~still)
    values, value_bars, vectors = _spectrum(rows, errors)
    resolution, own, bars = _standard_errors(rows[:, moving], errors[:, moving])
    standard, standard_bars = np.full(len(names), np.inf), np.full((len(names), 2), np.inf)
    standard[moving], standard_bars[moving] = own, bars
    condition, condition_bar = _condition(values, value_bars, rows.shape, bool(still.any()))
    with np.errstate(invalid="ignore"):
        wrong = np.abs(rows).T @ errors
        wrong = wrong + wrong.T + errors.T @ errors
    found = FisherInformation(
        matrix=rows.T @ rows,
        matrix_error=np.where(np.isnan(wrong), np.inf, wrong),
        parameters=names,
        eigenvalues=values,
        eigenvalue_bars=value_bars,
        eigenvectors=vectors,
        standard_errors=standard,
        standard_error_bars=standard_bars,
        condition=condition,
        condition_bar=condition_bar,
        resolution=resolution,
        source=source,
        status=OK,
        rows=rows,
        row_errors=errors,
    )
    return replace(found, status=_status(found, still, reason))


def _spectrum(rows: Array, errors: Array) -> tuple[Array, Array, Array]:
    """Eigenvalues of A^T A (K,), their bars (K, 2), and eigenvectors (K, K)."""
    count, size = rows.shape[1], min(rows.shape)
    _, singular, right = np.linalg.svd(rows, full_matrices=rows.shape[0] < count)
    top = float(singular[0]) if size else 0.0
    rounding = max(rows.shape) * EPSILON * top
    moved = _norm(errors) + rounding
    factor, *_ = _standard_errors(rows, errors)
    low, high = np.maximum(singular - moved, 0.0), singular + moved
    if factor < 1.0:
        low = np.maximum(low, np.maximum(singular - rounding, 0.0) * (1.0 - factor))
        high = np.minimum(high, (singular + rounding) * (1.0 + factor))
    bars = np.zeros((count, 2))  # fewer rows than parameters: the other eigenvalues are 0
    bars[:size] = np.stack([low, high], axis=1) ** 2
    values = np.zeros(count)
    values[:size] = singular**2
    return values, bars, right.T


def _standard_errors(rows: Array, errors: Array) -> tuple[float, Array, Array]:
    """The resolution, and standard errors (K,) with their bars (K, 2)."""
    count = rows.shape[1]
    unknown = np.full(count, np.nan), np.tile([0.0, np.inf], (count, 1))
    if not count:
        return 0.0, *unknown
    if rows.shape[0] < count or not np.all(np.isfinite(errors)):
        return np.inf, *unknown
    lengths = np.linalg.norm(rows, axis=0)
    if not np.all(lengths > 0.0):
        return np.inf, *unknown
    scaled, wrong = rows / lengths, errors / lengths
    _, singular, right = np.linalg.svd(scaled, full_matrices=False)
    rounding = max(rows.shape) * EPSILON * singular[0]
    if not singular[-1] > rounding:
        return np.inf, *unknown
    inverse = right.T / singular  # |A z| = |z'| with z = inverse z' in units of the columns
    resolution = _norm(wrong @ np.abs(inverse)) + rounding / float(singular[-1])
    length = np.linalg.norm(inverse, axis=1)  # the standard errors, in the same units
    least = np.abs(inverse @ inverse.T) / length**2  # column k: |z0| of parameter k
    own = np.linalg.norm(wrong @ least, axis=0) + rounding * np.linalg.norm(least, axis=0)
    turned = resolution / (1.0 - resolution) if resolution < 0.5 else 1.0
    lower = np.maximum(1.0 / length + own, 0.0)
    upper = np.sqrt(max(1.0 - turned**2, 0.0)) / length - own
    with np.errstate(divide="ignore"):
        low = np.maximum(1.0 / lower, length / (1.0 + resolution))
        high = np.where(upper > 0.0, 1.0 / np.maximum(upper, 0.0), np.inf)
    if resolution < 1.0:
        high = np.minimum(high, length / (1.0 - resolution))
    bars = np.stack([low, high], axis=1) / lengths[:, None]
    return resolution, np.where(np.isfinite(high), length / lengths, np.nan), bars


def _condition(
    values: Array, bars: Array, shape: tuple[int, ...], still: bool
) -> tuple[float, tuple[float, float]]:
    if not len(values):
        return np.nan, (1.0, np.inf)
    if shape[0] < shape[1] or still:
        return np.inf, (np.inf, np.inf)
    least = bars[-1, 1]
    low = max(bars[0, 0] / least, 1.0) if least > 0.0 else np.inf
    if not bars[-1, 0] > 0.0:
        return np.nan, (float(low) if np.isfinite(low) else 1.0, np.inf)
    high = bars[0, 1] / bars[-1, 0]
    return float(values[0] / values[-1]), (float(low), float(max(high, low)))


def _status(found: FisherInformation, still: NDArray[np.bool_], reason: str) -> str:
    if reason:
        return f"not resolved: {reason}"
    if still.any():
        names = first_few(compress(found.parameters, still), quoted=False)
        return (
            f"not identifiable: nothing that is measured depends on {names}; the standard errors "
            "of the others are those with these parameters fixed"
        )
    count, measured = len(found.parameters), len(found.rows)
    if measured < count:
        return (
            f"not identifiable: {measured} measurements cannot determine {count} parameters; fix "
            f"{count - measured} of them, or more"
        )
    open_ends = ~np.isfinite(found.standard_error_bars[:, 1])
    if not open_ends.any():
        return OK
    names = first_few(compress(found.parameters, open_ends), quoted=False)
    return (
        f"not resolved: the errors of the Jacobian may make F singular along "
        f"{found.direction(count - 1)}; the standard errors of {names} have no upper bound. "
        "Tighten the tolerance; if that does not help, these parameters are not identifiable "
        "together: fix one of them"
    )


def _nothing(rows: Array, names: tuple[str, ...], source: str, reason: str) -> FisherInformation:
    count = len(names)
    square, vector = np.full((count, count), np.nan), np.full(count, np.nan)
    bars = np.tile([0.0, np.inf], (count, 1))
    return FisherInformation(
        matrix=square,
        matrix_error=np.full((count, count), np.inf),
        parameters=names,
        eigenvalues=vector,
        eigenvalue_bars=bars,
        eigenvectors=square,
        standard_errors=vector,
        standard_error_bars=bars,
        condition=np.nan,
        condition_bar=(1.0, np.inf),
        resolution=np.inf,
        source=source,
        status=f"no result: {reason}",
        rows=rows,
        row_errors=np.full(rows.shape, np.inf),
    )


def _norm(matrix: Array) -> float:
    """The spectral norm of a matrix without negative entries, from above; infinite if one is."""
    if not matrix.size:
        return 0.0
    if not np.all(np.isfinite(matrix)):
        return np.inf
    return float(np.linalg.norm(matrix, 2)) * (1.0 + 1e-12)
