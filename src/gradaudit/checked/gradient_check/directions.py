"""Directions in the space of the parameters, and what they tell of an error vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

Array = NDArray[np.float64]

FEW = 12
"""Up to so many parameters every one of them is a direction of its own by default."""

RANDOM = 3
"""Directions where there are more."""

RISK = 1e-3
"""Probability that the random directions show less of an error than is allowed for."""


@dataclass(frozen=True)
class Directions:
    """Columns of scaled directions; the change of parameter j along one is ``vectors[k, j]``.

    Attributes
    ----------
    vectors
        (K, m), in units of the parameters.
    sizes
        |p_j|, and 1 where p_j = 0, (m,).
    complete
        Whether they are the m coordinate directions, so that nothing is left to chance.
    """

    vectors: Array
    sizes: Array
    complete: bool

    @property
    def confidence(self) -> float:
        """Probability that `bounds` hold."""
        return 1.0 if self.complete else 1.0 - RISK

    def bounds(self, seen: Array, unsure: Array) -> tuple[float, float, float]:
        """The norm of a vector from its products with the directions: least, likely, most.

        For normal directions the sum of squares of the K products is |x|^2 times a chi-square of K
        degrees, whatever x is. Signs of +1 and -1 would not do: errors of opposite entries, such as
        (a, -a), are invisible to half of them.

        Parameters
        ----------
        seen, unsure
            The products, and the bounds of their errors, (K,).
        """
        size, doubt = float(np.linalg.norm(seen)), float(np.linalg.norm(unsure))
        low, high = max(size - doubt, 0.0), size + doubt
        if self.complete:
            return low, size, high
        k = len(seen)
        return (
            low / float(np.sqrt(chi2.ppf(1.0 - RISK, k))),
            size / float(np.sqrt(k)),
            high / float(np.sqrt(chi2.ppf(RISK, k))),
        )


def sizes_of(p: Array) -> Array:
    """|p_j|, and 1 where p_j = 0."""
    return np.where(p == 0.0, 1.0, np.abs(p))


def directions(p: Array, count: int | None, seed: int) -> Directions:
    """All coordinate directions if there are few parameters or `count` covers them, else random.

    Parameters
    ----------
    p
        (m,).
    count
        None for the default.
    """
    sizes = sizes_of(p)
    if len(p) <= (FEW if count is None else count):
        return Directions(np.diag(sizes), sizes, complete=True)
    k = RANDOM if count is None else count
    return Directions(random_rows(k, sizes, seed), sizes, complete=False)


def random_rows(k: int, sizes: Array, seed: int) -> Array:
    """(k, m) normal numbers, times the sizes."""
    return np.random.default_rng([seed, len(sizes)]).standard_normal((k, len(sizes))) * sizes
