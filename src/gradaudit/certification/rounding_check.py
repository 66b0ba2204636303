"""Whether a vector field is rough only because double precision cannot resolve it.

``(b + sqrt(b**2 + 4 c K)) / 2`` with b of -100 and K of 1e-9 is smooth, and its values in double
precision have four digits. So the translated vector field is evaluated in a higher precision, and
in double precision too: if the two differ as much as JAX's values differ from the former, that is
rounding, and the values of the higher precision count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.discrete_modes import Mode, Reader
from gradaudit.certification.heyoka.precision import (
    DOUBLE,
    LONG_DOUBLE,
    QUAD,
    Precision,
    available,
)
from gradaudit.certification.heyoka.translate import state_variables
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model

Array = NDArray[np.float64]

AS_ROUGH = 1e3
"""How many times the rounding of one order of operations may be that of another."""

SMOOTH = 1e-13
"""Relative difference of two evaluations in double precision that needs no explanation."""


class RoundingCheck:
    """The vector field of states and integrals in a higher precision, compiled mode by mode."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.reader = Reader(model)
        self.finer = LONG_DOUBLE if available(LONG_DOUBLE) else QUAD
        self._compiled: dict[tuple[Mode, str], Callable[[Any], Any]] = {}
        self._without_choices: bool | None = None

    def resolved(self, times: Array, states: Array, rates: Array) -> tuple[Array, Array]:
        """Rates (K, N) in the higher precision where rounding explains those of JAX, else NaN.

        And the rounding of the rates in double precision (K, N), as it is seen there.

        Parameters
        ----------
        times, states, rates
            Points (K,), (K, N), and the vector field there in double precision (K, N).
        """
        better, rough = np.full_like(rates, np.nan), np.zeros_like(rates)
        modes = self._modes(times, states)
        for mode in {mode for mode in modes if mode is not None}:
            here = np.array([other == mode for other in modes])
            fine = self._rates(mode, self.finer, times[here], states[here])
            plain = self._rates(mode, DOUBLE, times[here], states[here])
            better[here] = fine.astype(np.float64)
            rough[here] = np.abs((plain - fine).astype(np.float64))
        size = np.nan_to_num(np.abs(better)).max(axis=0, initial=0.0)
        allowed = AS_ROUGH * rough.max(axis=0, initial=0.0) + SMOOTH * size
        return np.where(np.abs(rates - better) <= allowed, better, np.nan), rough

    def _modes(self, times: Array, states: Array) -> list[Mode | None]:
        """Of each point; those between two of one mode are in it, or are not explained by it.

        To read a mode takes milliseconds, and there are thousands of points.
        """
        modes: list[Mode | None] = [None] * len(times)

        def fill(first: int, last: int) -> None:
            if last - first < 2:
                return
            if modes[first] == modes[last]:
                modes[first + 1 : last] = [modes[first]] * (last - first - 1)
                return
            middle = (first + last) // 2
            modes[middle] = self._mode(float(times[middle]), states[middle])
            fill(first, middle)
            fill(middle, last)

        for end in {0, len(times) - 1} if len(times) else ():
            modes[end] = self._mode(float(times[end]), states[end])
        fill(0, len(times) - 1)
        return modes

    def _mode(self, t: float, z: Array) -> Mode | None:
        if self._without_choices is None:
            # a formula may have choices that are no events, such as that of a power of 0
            events = bool(self.model.events)
            self._without_choices = not events and not self.reader.numbers(t, z)[1]
        if self._without_choices:
            return ()
        try:
            return self.reader.mode_at(t, z)
        except TranslationError:
            return None

    def _rates(self, mode: Mode, precision: Precision, times: Array, states: Array) -> NDArray[Any]:
        function = self._compiled.get((mode, precision.name))
        if function is None:
            variables = [hy.expression("t"), *state_variables(self.model)]
            variables += [hy.expression(f"p{j}") for j in range(self.model.m)]
            rates, _ = self.reader.rates(
                mode, precision, variables[len(variables) - self.model.m :]
            )
            rows = [hy.subs(rate, {hy.time: variables[0]}) for rate in rates]
            function = hy.cfunc(rows, variables, compact_mode=True, **precision.options)
            self._compiled[mode, precision.name] = function
        nominal = np.tile(self.model.nominal, (len(times), 1))
        points = np.column_stack([times, states, nominal]).T
        return function(np.ascontiguousarray(precision.array(points))).T
