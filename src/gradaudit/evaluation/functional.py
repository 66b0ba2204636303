"""What a functional is: a value and its derivative with respect to stored observations.

Functionals are post-processing. They see z, the states and integrals at the observation times,
shape (T, N) with the n states first, or the events that were located, and never a solver; the
gradient follows from their weights phi = dJ/dz and the stored sensitivities of z.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.evaluation.occurrences import EventTable, EventWeights

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
    truth
        Observations (T, N) that stand for the exact ones, where those are not the certified ones:
        the data of an inverse crime.
    """

    name: str
    kind: str
    value: Callable[[Array], float]
    weights: Callable[[Array], Array]
    natural_weights: Array
    truth: Array | None = None


@dataclass(frozen=True, kw_only=True)
class EventFunctional:
    """A scalar function of the times of events, and of the states there.

    Attributes
    ----------
    name, kind
        What tables call it, and the family it belongs to.
    event, needed
        The event that it is of, and how many of its occurrences it needs.
    value
        ``J(events)``, a float; NaN where an occurrence is missing.
    weights
        Its derivative with respect to times and values.
    natural
        The size of the terms of the gradient in scaled parameters, shape (m,), not negative.
    piecewise_constant
        Its derivative is 0 wherever it exists and says nothing of its jumps.
    """

    name: str
    kind: str
    event: str
    needed: int
    value: Callable[[EventTable], float]
    weights: Callable[[EventTable], EventWeights]
    natural: Array
    piecewise_constant: bool = False


AnyFunctional = Functional | EventFunctional


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a functional is made from: the certified observations and their names.

    Attributes
    ----------
    times, observations
        Shapes (T,) and (T, N): z, the first ``len(states)`` columns are states.
    settings
        Of the section `functionals` of the configuration.
    sensitivities
        Of the observations in scaled parameters, (T, N, m), where event functionals are wanted.
    occurrences, common
        The certified events, and how many of each one are to be looked at.
    """

    times: Array
    observations: Array
    states: tuple[str, ...]
    integrals: tuple[str, ...]
    observables: tuple[str, ...]
    settings: dict[str, Any]
    sensitivities: Array | None = None
    occurrences: EventTable | None = None
    common: tuple[int, ...] = ()

    @property
    def exact(self) -> Array:
        """The certified states, shape (T, n)."""
        return self.observations[:, : len(self.states)]

    @property
    def deviation(self) -> Array:
        """Standard deviation of the noise of the data, (n,): a fraction of each state's range."""
        deviation: Array = self.settings["noise"] * np.ptp(self.exact, axis=0)
        return deviation

    @property
    def data(self) -> Array:
        """The certified states with that noise, (T, n), the same for every functional."""
        draws = np.random.default_rng(self.settings["seed"]).standard_normal(self.exact.shape)
        data: Array = self.exact + self.deviation * draws
        return data
