"""What a functional is: a value and its derivative with respect to stored observations.

Functionals are post-processing. They see z, the states and integrals at the observation times,
shape (T, N) with the n states first, and never a solver; the gradient follows from their weights
phi = dJ/dz and the stored sensitivities of z.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Functional:
    """A scalar function of the observations.

    Attributes
    ----------
    name, kind
        What tables call it, and the family it belongs to.
    value
        ``J(z)``, a float.
    weights
        ``phi(z) = dJ/dz``, shape (T, N).
    natural_weights
        The size of the weights that goes with a residual or value of natural size, shape (T, N),
        not negative: what a gradient is measured against where it is itself zero.
    """

    name: str
    kind: str
    value: Callable[[Array], float]
    weights: Callable[[Array], Array]
    natural_weights: Array


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a functional is made from: the certified observations and their names.

    `observations` is z (T, N), `times` (T,); the first ``len(states)`` columns are states.
    """

    times: Array
    observations: Array
    states: tuple[str, ...]
    integrals: tuple[str, ...]
    observables: tuple[str, ...]
    settings: dict[str, Any]
