"""Thresholds that a solution touches without crossing, which no event finder reports.

Where an event function has an extremum of 0, a change of the parameters to one side makes two
crossings of it and a change to the other side makes none: there is no derivative. So the extrema of
event functions are looked for besides their zeros. The same look finds two crossings that are
closer to each other than an event finder resolves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.heyoka import elementwise
from gradaudit.certification.heyoka.precision import Precision
from gradaudit.certification.one_sided_rows import ALIKE, AT_THRESHOLD
from gradaudit.certification.saltation import Effect
from gradaudit.model.definition import Model

Array = NDArray[Any]

BESIDE = 1e-10  # of the window: two crossings as close as this are taken for a touch
SECANT = 1e-6  # of a step, in which a rate is differentiated
FLAT = 1e-3  # of the curvature times a step: a zero with a smaller rate is beside an extremum
ITERATIONS = 12
ROUNDINGS = 1e3  # how often the time of an extremum may be rounded
CLOCK = hy.expression("clock")  # stands for the time, which is not a variable to heyoka


def rate_along(
    trigger: hy.expression, system: list[tuple[hy.expression, hy.expression]]
) -> hy.expression | None:
    """dg/dt along the flow, or None where it is a constant, so that g has no extremum."""
    given = hy.subs(trigger, {hy.time: CLOCK})  # heyoka differentiates by variables only
    total = hy.subs(elementwise.lift(hy.diff(given, CLOCK)), {CLOCK: hy.time})
    for variable, rate in system:
        total = total + elementwise.lift(hy.diff(trigger, variable)) * rate
    return total if moves(total) else None


def moves(expression: hy.expression) -> bool:
    """Whether an expression has the time or a state in it; heyoka takes no event without."""
    return bool(hy.get_variables(hy.subs(expression, {hy.time: CLOCK})))


class Touches:
    """Called by an integrator at every extremum of one event function; notes those that touch 0.

    Parameters
    ----------
    name, effect
        The event.
    notes
        Receives ``(name, time)``.

    Attributes
    ----------
    rows
        Where the integrator's state has the derivatives of each state and integral.
    """

    rows: tuple[slice, ...] = ()

    def __init__(
        self, name: str, effect: Effect, notes: list[tuple[str, float]], model: Model,
        precision: Precision,
    ) -> None:  # fmt: skip
        self.name, self.effect, self.notes = name, effect, notes
        self.t_end, self.precision = model.t_end, precision
        self.p = np.array(list(precision.array(model.nominal)), dtype=object)

    def __call__(self, integrator: Any, when: Any, sign: int) -> None:
        def at(time: Any) -> dict[str, Array]:
            return self._at(integrator, time)

        if touches(at, when, self.p, self.t_end, self.precision):
            self.notes.append((self.name, float(when)))

    def _at(self, integrator: Any, time: Any) -> dict[str, Array]:
        integrator.update_d_output(time)
        out = integrator.d_output
        z = np.array(list(out[: len(self.rows)]), dtype=object)
        tangents = np.array([list(out[row]) for row in self.rows], dtype=object)
        return self.effect.crossing(time, z, self.p) | {"z": z, "tangents": tangents}

    def __deepcopy__(self, memo: Any) -> Touches:
        """heyoka keeps copies of its callbacks; theirs must write to the same list."""
        return self


def turning(rate: Callable[[Any], Any], value: Callable[[Any], Any], when: Any, step: Any) -> Any:
    """The extremum beside a zero of an event function, if it is no crossing; None if it is one.

    On both sides of a double zero, which rounding lets an event finder take for two zeros or none,
    the sign is the same.

    Parameters
    ----------
    rate, value
        From a time to dg/dt along the flow and to g.
    when, step
        The zero, and the length of the step in which it was found.
    """
    aside = SECANT * step
    curvature = (rate(when + aside) - rate(when - aside)) / (2 * aside)
    if not abs(rate(when)) <= FLAT * abs(curvature * step) or not curvature:
        return None
    one, other = when - aside, when
    for _ in range(ITERATIONS):
        change = rate(other) - rate(one)
        if not change:
            break
        one, other = other, other - rate(other) * (other - one) / change
    return other if value(other) * curvature >= 0.0 else None


def touches(
    at: Callable[[Any], dict[str, Array]], when: Any, p: Array, t_end: float, precision: Precision
) -> bool:
    """Whether an extremum of an event function is a touch.

    Parameters
    ----------
    at
        From a time: what `Effect.crossing` gives there, with the state ``z`` and ``tangents``.
    when
        The time of the extremum.
    p
        The parameters (m,), in the precision.
    """
    here = at(when)
    aside = precision.number(BESIDE * t_end)
    curved = max(abs(at(when + side)["g"] - here["g"]) for side in (-aside, aside))
    value = abs(here["g"])
    terms = (
        np.abs(here["g_z"]) @ np.abs(here["z"]) + np.abs(here["g_p"]) @ np.abs(p)
        + abs(here["g_t"] * when)
    )  # fmt: skip
    if not value <= max(curved, precision.number(AT_THRESHOLD) * terms):
        return False
    parts = np.concatenate([here["g_z"][:, None] * here["tangents"], here["g_p"][None]])
    total, size = np.abs(parts.sum(axis=0)), np.abs(parts).sum(axis=0)
    moved = any(float(a) > ALIKE * float(b) for a, b in zip(total, size, strict=True))
    return moved or bool(value > (ROUNDINGS * precision.eps / BESIDE) ** 2 * curved)
