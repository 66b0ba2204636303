"""The variational system of a model with events: one integrator for each mode of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from math import log10
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import saltation
from gradaudit.certification.close_switches import Turning
from gradaudit.certification.discrete_modes import Mode, Reader
from gradaudit.certification.grazing import Touches, moves, rate_along, turning
from gradaudit.certification.heyoka.precision import Precision
from gradaudit.certification.heyoka.translate import state_variables
from gradaudit.certification.passage import EVENT_COOLDOWN
from gradaudit.certification.saltation import Effect
from gradaudit.certification.variational import Variational, assemble
from gradaudit.model.definition import Model
from gradaudit.model.quadratures import initial_state
from gradaudit.model.switch_coincidence import Coincidence

Array = NDArray[Any]

# It warns that it cannot deduce a cooldown for an event; segments begin out of sight of theirs.
hy.set_logger_level_error()

OUT_OF_SIGHT = 1e100
GOLDEN = 0.6180339887  # its multiples are spread evenly between whole numbers


@dataclass(kw_only=True)
class Hybrid:
    """A model with events, compiled mode by mode when they are first met."""

    model: Model
    precision: Precision
    tolerance: float
    reader: Reader
    effects: dict[str, Effect]
    build_seconds: float
    coincidence: Coincidence
    segments: dict[Mode, Segment] = field(default_factory=dict)

    def segment(self, mode: Mode) -> Segment:
        if mode not in self.segments:
            start = time.perf_counter()
            self.segments[mode] = Segment(self, mode)
            self.build_seconds += time.perf_counter() - start
        return self.segments[mode]

    def start(self) -> Segment:
        """The system in the mode of the initial state."""
        # Only the initial state is needed here, and the mode does not change it.
        z = np.zeros(self.reader.size)
        z[: self.model.n] = np.asarray(initial_state(self.model, self.model.nominal))
        return self.segment(self.reader.mode_behind(0.0, z))


def build_hybrid(model: Model, *, precision: Precision, tolerance: float) -> Hybrid:
    """Translate the events; the modes follow as the solution meets them.

    Raises
    ------
    TranslationError
        If an event has something that the Taylor method cannot follow.
    """
    start = time.perf_counter()
    effects = {
        name: saltation.compile_effect(model, name, event, precision)
        for name, event in model.events.items()
    }
    return Hybrid(
        model=model,
        precision=precision,
        tolerance=tolerance,
        reader=Reader(model),
        effects=effects,
        coincidence=Coincidence(model),
        build_seconds=time.perf_counter() - start,
    )


class Segment:
    """The system in one mode: its integrator, which stops at events, and its rates."""

    def __init__(self, whole: Hybrid, mode: Mode) -> None:
        model, precision = whole.model, whole.precision
        self.mode = mode
        self.started = 0.0
        self.began: Array = np.zeros(0)
        self.crossed: list[tuple[str, int, float]] = []
        self.turned: list[tuple[str, int, float, float]] = []
        names = list(model.events)
        parameters = [hy.par[j] for j in range(model.m)]
        rates, boundaries = whole.reader.rates(mode, precision, parameters)
        directions = {
            -1: hy.event_direction.negative, 0: hy.event_direction.any,
            1: hy.event_direction.positive,
        }  # fmt: skip
        stops = [
            hy.t_event(
                whole.effects[name].trigger + hy.par[model.m + index],
                fp_type=precision.fp_type,
                direction=directions[model.events[name].direction],
            )
            for index, name in enumerate(names)
        ]
        watches = [
            hy.nt_event(boundary, _Note(self.crossed, name, place), fp_type=precision.fp_type)
            for (name, boundary), place in zip(boundaries, whole.reader.places[mode], strict=True)
            if moves(boundary)  # such as the period of a remainder, which has a sign and keeps it
        ]
        system = list(zip(state_variables(model), rates, strict=True))
        self.touched: list[tuple[str, float]] = []
        touches = []
        for name, effect in whole.effects.items():
            slope = rate_along(effect.trigger, system)
            if slope is not None:
                touches.append(Touches(name, effect, self.touched, model, precision))
                watches.append(hy.nt_event(slope, touches[-1], fp_type=precision.fp_type))
        p = [hy.expression(f"p{j}") for j in range(model.m)]
        plain, as_function = whole.reader.rates(mode, precision, p)
        # the extrema of these event functions are looked at already
        both = [name for name in names if model.events[name].direction == 0]
        seen = [whole.effects[name].trigger for name in both]
        for k, (name, boundary) in enumerate(boundaries):
            slope = None if boundary in seen else rate_along(boundary, system)
            if slope is not None:
                seen.append(boundary)
                place, own = whole.reader.places[mode][k], as_function[k][1]
                turning_back = Turning(whole.reader, mode, place, name, own, precision, self.turned)
                watches.append(hy.nt_event(slope, turning_back, fp_type=precision.fp_type))
        self.variational: Variational = assemble(
            model, system, precision=precision, tolerance=whole.tolerance,
            t_events=stops, nt_events=watches,
        )  # fmt: skip
        for touch in touches:
            touch.rows = self.variational.rows
        t, z = hy.expression("t"), state_variables(model)
        here = [hy.subs(rate, {hy.time: t}) for rate in plain]
        self._rates = saltation.compiled(here, [t, *z, *p], precision)

    def begin(self, now: Any, state: Array, precision: Precision, *, span: Any = None) -> Any:
        """Set the integrator to a state, one quiet step behind an event; returns the outcome.

        The step is no longer than the cooldown of an event, or it is `span` in the unit of t.

        A threshold that was just crossed is zero to rounding, and would be found again at once; so
        the first, tiny step is made with every threshold shifted out of sight.
        """
        ta, m = self.variational.integrator, self.variational.m
        ta.time, ta.state[:] = now, state
        ta.reset_cooldowns()
        self.started, self.began = float(now), state[: len(self.variational.rows)].copy()
        self.crossed.clear()
        self.turned.clear()
        self.touched.clear()
        ta.pars[m:] = [precision.number(OUT_OF_SIGHT)] * (len(ta.pars) - m)
        quiet = _quiet(self.variational.tolerance) * EVENT_COOLDOWN * self.variational.t_end
        outcome, _ = ta.step(precision.number(quiet) if span is None else span)
        ta.pars[m:] = [precision.number(0.0)] * (len(ta.pars) - m)
        return outcome

    def turning(self, effect: Effect, p: Array) -> Any:
        """`gradaudit.certification.grazing.turning` of the event that ended the last step."""
        ta, rows = self.variational.integrator, self.variational.rows

        def at(time: Any) -> tuple[dict[str, Array], Array]:
            ta.update_d_output(time)
            z = np.array(list(ta.d_output[: len(rows)]), dtype=object)
            return effect.crossing(time, z, p), self.rates(time, z, p)

        def rate(time: Any) -> Any:
            found, rates = at(time)
            return found["g_t"] + found["g_z"] @ rates

        return turning(rate, lambda time: at(time)[0]["g"], ta.time, ta.last_h)

    def rates(self, t: Any, z: Array, p: Array) -> Array:
        """f(t, z, p) in this mode, (N,)."""
        return self._rates(np.concatenate([[t], z, p]))


def _quiet(tolerance: float) -> float:
    """The share of the cooldown that the quiet step of a solve takes, between a half and 1.

    What so short a step adds to a state may be lost in rounding. If all solves made the same step
    they would lose the same, alike in double and in long double precision, and agree on it.
    """
    return 1.0 - 0.5 * (GOLDEN * (20.0 + log10(tolerance)) % 1.0)


class _Note:
    """Notes the times at which a boundary of the mode is crossed."""

    def __init__(self, crossed: list[tuple[str, int, float]], name: str, choice: int) -> None:
        self.crossed, self.name, self.choice = crossed, name, choice

    def __call__(self, integrator: Any, when: Any, sign: int) -> None:
        self.crossed.append((self.name, self.choice, float(when)))

    def __deepcopy__(self, memo: Any) -> _Note:
        """heyoka keeps copies of its callbacks; theirs must write to the same list."""
        return self
