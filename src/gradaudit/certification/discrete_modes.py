"""Modes of a model with events: the vector field between two events, on one branch of each switch.

Numbers are read in double precision, which suffices to see which side of a threshold a point is
on: where it is close to one, the side is that into which the flow leads.
"""

from __future__ import annotations

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.backend.jaxpr.tracing import trace
from gradaudit.certification.heyoka import elementwise
from gradaudit.certification.heyoka.branch_choices import Switches
from gradaudit.certification.heyoka.interpreter import Interpreter
from gradaudit.certification.heyoka.precision import DOUBLE, Precision
from gradaudit.certification.heyoka.translate import read, state_variables
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import integrand_names, with_integrals

Mode = tuple[int, ...]
Boundary = tuple[str, hy.expression]
Array = NDArray[np.float64]

AHEAD = 1e-9  # of the window: how far ahead the flow shows the side of a threshold

ROUNDING = 1e-13  # of a state: how far it may be from where it is meant to be
EPS = 4 * float(np.finfo(float).eps)  # of the time, likewise
CLOSER = 1e-2  # of the look ahead: what is not met until then is met by an event


class SlidingError(TranslationError):
    """The flow on both sides of a threshold leads into it, so that there is no way on."""


class Reader:
    """Reads a model's vector field, of states and integrals, with numbers or expressions."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.size = model.n + len(integrand_names(model))
        self.where = f"model {model.name!r}: vector_field"
        self._jaxpr = trace(with_integrals(model), [None, self.size, model.m], self.where)

    def numbers(self, t: float, z: Array, *, mode: Mode | None = None) -> tuple[Array, Mode]:
        """The rates at a point (N,), and the choices there; or the rates in a given mode."""
        switches = Switches(given=mode)
        point = [float(t), [float(x) for x in z], [float(x) for x in self.model.nominal]]
        rates = read(self._jaxpr, point, Interpreter(DOUBLE, self.where, switches))
        return np.array([float(r) for r in rates]), tuple(switches.taken)

    def rates(
        self, mode: Mode, precision: Precision, parameters: list[hy.expression]
    ) -> tuple[list[hy.expression], list[Boundary]]:
        """The rates in a mode, and the boundaries where one of its choices would change."""
        switches = Switches(given=mode)
        point = [hy.time, state_variables(self.model), parameters]
        rates = read(self._jaxpr, point, Interpreter(precision, self.where, switches))
        return [elementwise.lift(rate) for rate in rates], switches.boundaries

    def mode_at(self, t: float, z: Array) -> Mode:
        """The mode in which the solution goes on from a point.

        A choice is kept if the flow that it makes does not leave it at once; on a threshold, one
        of the two sides is such, or both are and the choice at the point itself is kept. A point
        that is close to a threshold, but by more than rounding, is not on it.

        Raises
        ------
        SlidingError
            If no choice is kept by its own flow.
        """
        step = AHEAD * self.model.t_end
        rates, here = self.numbers(t, z)
        reach = ROUNDING * np.abs(z) * np.sign(rates)
        mode = here
        for _ in range(1 + len(mode)):
            ahead = self.numbers(t + step, z + step * rates)[1]
            if ahead == mode:
                return mode
            if mode == here and self.numbers(t + EPS * abs(t), z + reach)[1] == here:
                inside = step * CLOSER
                if self.numbers(t + inside, z + inside * rates)[1] == here:
                    return here  # the threshold lies ahead, and is met by the solve
            mode = ahead
            rates, _ = self.numbers(t, z, mode=mode)
        raise SlidingError(
            f"{self.where}: at t = {t:.6g} the flow on both sides of a threshold leads into it. "
            "The solution slides along the threshold, which is not an ordinary differential "
            "equation of this form; make the switch smooth."
        )
