"""Switches that change and change back so soon that two zeros of a boundary are taken for none.

Between two zeros a boundary has an extremum, which stays well conditioned however close they are.
There the choice itself is asked. If rounding decides its answer, nobody knows whether it changes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import saltation
from gradaudit.certification.discrete_modes import Mode, Reader
from gradaudit.certification.heyoka.precision import Precision, to_float64
from gradaudit.certification.heyoka.translate import state_variables

Array = NDArray[Any]
Float = NDArray[np.float64]

SMALL = 1e-6
"""Of the sizes of a boundary about an extremum: if it is larger there, its zeros are seen."""

BESIDE = 0.1
"""Of a step: where the sizes about an extremum are taken."""

FLANKS = (1e-3, 1e-2, 1e-1)
"""Of a step: where a boundary is clear of zero on both sides of an extremum that is no rounding."""


ROUNDINGS = 8.0
"""Of the time and of a step: an extremum is at an event if it is no farther from it."""


def is_at(moment: tuple[float, Float, float], when: float, length: float) -> bool:
    """Whether an extremum, found in a step of a length, is at a moment: time, state and slack.

    What changes there and back beside an event, however close, is not what changes at the event.
    """
    t, _, slack = moment
    rounding = ROUNDINGS * float(np.finfo(float).eps) * (abs(t) + length)
    return abs(when - t) <= rounding + slack


def turns_back(
    reader: Reader,
    mode: Mode,
    choice: int,
    state: Callable[[float], Float],
    when: float,
    length: float,
) -> bool:
    """Whether a choice of a mode changes at an extremum of its boundary, or may change there.

    Parameters
    ----------
    state
        From a time to the states and integrals (N,).
    when, length
        The time of the extremum, and the length of the step in which it is.
    """
    here = reader.margins(when, state(when), mode)
    if here.blur(choice) < 0.0:
        return not here.own[choice]
    # A boundary that rests on zero has extrema of rounding only.
    return any(
        all(
            reader.margins(t, state(t), mode).blur(choice) < 0.0
            for t in (when - share * length, when + share * length)
        )
        for share in FLANKS
    )


class Turning:
    """Called by an integrator at every extremum of one boundary; notes those that `turns_back`.

    Parameters
    ----------
    reader, mode, choice, name
        The boundary is that of a choice of a mode, which a primitive makes.
    boundary
        With the parameters as variables ``p0, p1, ...``.
    crossed
        Receives ``(name, choice, time, length of the step)``.
    """

    def __init__(
        self,
        reader: Reader,
        mode: Mode,
        choice: int,
        name: str,
        boundary: hy.expression,
        precision: Precision,
        crossed: list[tuple[str, int, float, float]],
    ) -> None:
        self.reader, self.mode, self.choice, self.name = reader, mode, choice, name
        self.crossed, self.precision, self.boundary = crossed, precision, boundary
        self.p = np.array(list(precision.array(reader.model.nominal)), dtype=object)

    @cached_property
    def function(self) -> Callable[[Array], Array]:
        """The boundary, compiled when there is an extremum."""
        t, model = hy.expression("t"), self.reader.model
        arguments = [t, *state_variables(model), *(hy.expression(f"p{j}") for j in range(model.m))]
        return saltation.compiled([hy.subs(self.boundary, {hy.time: t})], arguments, self.precision)

    def __call__(self, integrator: Any, when: Any, sign: int) -> None:
        def state(time: Any) -> Array:
            integrator.update_d_output(time)
            return np.array(list(integrator.d_output[: self.reader.size]), dtype=object)

        aside = BESIDE * integrator.last_h
        before, here, after = (
            self.function(np.concatenate([[t], state(t), self.p]))[0]
            for t in (when - aside, when, when + aside)
        )
        if abs(here) > SMALL * min(abs(before), abs(after)) and here * before > 0 < here * after:
            return

        def rounded(time: float) -> Float:
            return to_float64(state(self.precision.number(time)))

        at, length = float(when), float(integrator.last_h)
        if turns_back(self.reader, self.mode, self.choice, rounded, at, length):
            self.crossed.append((self.name, self.choice, at, length))

    def __deepcopy__(self, memo: Any) -> Turning:
        """heyoka keeps copies of its callbacks; theirs must write to the same list."""
        return self
