"""The vector field of a model in one mode, compiled in one precision."""

from __future__ import annotations

from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.collocation.vector_field import VectorField, compile_rates
from gradaudit.certification.discrete_modes import Mode, Reader
from gradaudit.certification.heyoka.precision import DOUBLE, Precision
from gradaudit.certification.heyoka.translate import state_variables
from gradaudit.certification.steady_state.thresholds import Thresholds

Array = NDArray[Any]


class Rates:
    """f(t, y, p) at the nominal parameters, with its derivatives, on one branch of every switch.

    Attributes
    ----------
    field
        The compiled functions.
    n, m
        Numbers of states and parameters.
    timed
        Whether time itself is in them, other than linearly in thresholds.
    thresholds
        Where the branch changes; in double precision only.
    """

    def __init__(self, reader: Reader, mode: Mode, precision: Precision) -> None:
        model = reader.model
        self.n, self.m, self.precision = model.n, model.m, precision
        p = [hy.expression(f"p{j}") for j in range(model.m)]
        rates, boundaries = reader.rates(mode, precision, p)
        t, y = hy.expression("t"), state_variables(model)[: model.n]
        own = [hy.subs(rate, {hy.time: t}) for rate in rates[: model.n]]
        self.timed = any("t" in hy.get_variables(rate) for rate in own)
        self.field: VectorField = compile_rates(own, [t, *y, *p], model.n, precision)
        self.parameters = precision.array(model.nominal)
        edges = [hy.subs(edge, {hy.time: t}) for _, edge in boundaries]
        self.thresholds: Thresholds | None = None
        if edges and precision == DOUBLE:
            nominal = np.asarray(model.nominal, dtype=np.float64)
            self.thresholds = Thresholds(edges, own, [t, *y, *p], nominal)
            self.timed = self.timed or self.thresholds.timed

    def points(self, t: float, states: Array) -> Array:
        """Points for the compiled functions, (1 + n + m, K), from states (n, K)."""
        count = states.shape[1]
        found: Array = np.empty((1 + self.n + self.m, count), dtype=states.dtype)
        found[0] = self.precision.number(float(t))
        found[1 : 1 + self.n] = states
        found[1 + self.n :] = self.parameters[:, None]
        return found

    def rates(self, t: float, states: Array) -> Array:
        """f, (n, K), at states (n, K)."""
        return np.ascontiguousarray(self.field.rates(self.points(t, states)).T)

    def slopes(self, t: float, states: Array) -> tuple[Array, Array]:
        """The derivatives by states (K, n, n) and by parameters (K, n, m)."""
        return self.field.dense(self.field.slopes(self.points(t, states)))

    def sides(self, t: float, y: Array) -> Array:
        """The sides of the thresholds of the mode on which a state (n,) is."""
        if self.thresholds is None:
            return np.zeros(0)
        return np.sign(self.thresholds.values(t, y))

    def varies(self, t: float, y: Array) -> bool:
        """Whether the rates at a state (n,) are, or may be, others at a time after t.

        A pulse as exp(-(t - 50)^2) is 0 at nearly all times, so that no number of them shows it.
        """
        return self.timed or (
            self.thresholds is not None and bool(self.thresholds.ahead(t, y).any())
        )
