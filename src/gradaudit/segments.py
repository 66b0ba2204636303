"""Solves through events: from one event to the next, with what each of them does to the tangents.

The solve of a leg ends where the sign of an event's function changes; the time is found by
bisection on steps of the method itself, so it has the accuracy of the method. Then state and
tangents are taken through the event. With saltation the derivative of the event's time is in the
tangents; without it they are what forward AD of a program makes that finds the event, jumps and
goes on: the jump is differentiated, its time is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import optimistix as optx
from numpy.typing import NDArray

from gradaudit.control import Control
from gradaudit.crossings import Crossed, Neglected
from gradaudit.errors import SettingError
from gradaudit.forward import LOST_EVENT, TOO_MANY_EVENTS, UNDECLARED_SWITCH, Program, Raw
from gradaudit.frozen import FrozenField, differ
from gradaudit.integrals import integrand_names, with_integrals
from gradaudit.jaxconfig import run_compiled
from gradaudit.lifted import Lifted
from gradaudit.model import Event
from gradaudit.results import Hit

Array = NDArray[Any]

MAX_EVENTS = 20_000
ACCUMULATING = 3  # events in a row, each as good as at the time of the one before
QUIET = 1e-9  # of the window: no event is looked for so soon after another
SAME_TIME = 1e-12  # of the window: an observation so close to an event is made after it
LONGEST_STEP = 0.01  # of the window, lest a step passes over a pulse and its two events


class Leg(NamedTuple):
    """A solve up to an event or to the end; `fired` is the event's number, -1 at the end."""

    states: Any
    tangents: Any
    stop: Any
    state: Any
    tangent: Any
    fired: Any
    strayed: Any
    lost: Any
    indicator: Any
    crossed: Any
    counts: Any
    result: Any


class Crossing(NamedTuple):
    """State and tangents behind an event, d(event time) along the seeds, the rate before it.

    `signs` are those of all events behind it.
    `decisions` are the outcomes of what switches in the vector field, empty without saltation.
    `neglected` (N, c) is the saltation term if it was left out, else 0.
    """

    state: Any
    tangents: Any
    slope: Any
    rate: Any
    signs: Any
    decisions: Any
    neglected: Any


@dataclass(frozen=True)
class SegmentedProgram(Program):
    """`Program` for a model with events; `saltation` tells what is done at them."""

    saltation: bool = False
    _legs: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def events(self) -> dict[str, Event]:
        """The events at which a leg ends: without saltation, those with a jump."""
        events = self.model.events
        return {k: e for k, e in events.items() if self.saltation or e.jump is not None}

    def __call__(
        self, times, *, rtol: float, atol: float, control: Control, columns, p=None
    ) -> tuple[Raw, float, float]:
        """As `Program.__call__`, from event to event."""
        return _Journey(self, np.asarray(times), rtol, atol, control, columns, p).run()

    def run(self, key: Any, function: Any, inputs: Any) -> tuple[Any, float, float]:
        return run_compiled(self._legs, key, function, inputs, self.dtype)

    def leg(self, t0, z, tangents, signs, decisions, times, p, seeds, rtol, atol, control) -> Leg:
        """Solve from t0 on, traced; `signs` (E,) are those of the events just behind t0.

        The leg ends where the first of the events changes its sign, in whatever direction.
        """
        field = self._field()
        quiet = t0 + QUIET * self.model.t_end

        def before_every_event(t, y, args, **_):
            values = self._values(t, y.y, args.p)
            return jnp.min(jnp.where(t > quiet, signs * values, 1.0))

        eps = float(np.finfo(self.dtype).eps)
        finder = optx.Bisection(
            rtol=4 * eps, atol=4 * eps * self.model.t_end, flip="detect", expand_if_necessary=False
        )
        solution = self.integrate(
            jnp.maximum(times, t0),
            p,
            seeds,
            rtol,
            atol,
            control,
            t0=t0,
            start=Lifted(z, tangents),
            event=diffrax.Event(before_every_event, root_finder=finder, direction=False),
            longest_step=LONGEST_STEP * self.model.t_end,
            vector_field=lambda t, z, p: field(t, z, p, decisions),
        )
        observed, last = solution.ys
        stop, state = solution.ts[1][0], last.y[0]
        rate = field(stop, state, p, decisions)
        values, rates = jax.jvp(
            lambda t, z: self._values(t, z, p), (stop, state), (jnp.ones_like(stop), rate)
        )
        happened = jnp.asarray(solution.event_mask)
        strayed, lost = self._missed(field, decisions, signs, times, observed.y, p, t0, stop)
        counts = [solution.stats[f"num_{kind}steps"] for kind in ("", "accepted_", "rejected_")]
        return Leg(
            states=observed.y,
            tangents=observed.tangents,
            stop=stop,
            state=state,
            tangent=last.tangents[0],
            fired=jnp.where(happened, jnp.argmin(signs * values / jnp.abs(rates)), -1),
            strayed=strayed,
            lost=lost,
            indicator=jnp.nan if self.augmented else solution.solver_state.indicator,
            crossed=() if self.augmented else solution.solver_state.crossed,
            counts=jnp.stack(counts),
            result=solution.result._value,
        )

    def value(self, event: Event, t, z, p):
        """g(t, y, p) of an event, a scalar."""
        return jnp.asarray(event.when(t, z[: self.model.n], p)).reshape(())

    def _branches(self) -> FrozenField | None:
        """Nothing is left to be watched where a leg stays on its branches."""
        return None if self.saltation else super()._branches()

    def _values(self, t, z, p):
        return jnp.stack([self.value(event, t, z, p) for event in self.events.values()])

    def _field(self) -> Any:
        """The vector field with its branches frozen, or without saltation as it is."""
        function = with_integrals(self.model)
        if not self.saltation:
            return _Plain(function)
        size = self.model.n + len(integrand_names(self.model))
        return FrozenField(function, size, self.model.m)

    def _missed(self, field, decisions, signs, times, states, p, t0, stop):
        """Whether an observation within the leg is on another branch, or behind an event."""
        near = QUIET * self.model.t_end
        inside = (times > t0 + near) & (times < stop - near)

        def look(t, z):
            elsewhere = differ(field.decisions(t, z, p), decisions)
            return elsewhere, jnp.any(signs * self._values(t, z, p) < 0)

        strayed, lost = jax.vmap(look)(times, states)
        return jnp.any(inside & strayed), jnp.any(inside & lost)

    def start(self, p, seeds) -> Crossing:
        """State, tangents and signs at t = 0, traced."""
        begin = self._initial(p, seeds)
        return self._behind(0.0, begin.y, begin.tangents, jnp.zeros(seeds.shape[1]), begin.y, p)

    def cross(self, event: Event, t, z, tangents, decisions, p, seeds) -> Crossing:
        """Through one event, traced; `decisions` are those before it."""
        field, one = self._field(), jnp.ones_like(t)

        def after(t, z, p):
            if event.jump is None:
                return z
            y = jnp.asarray(event.jump(t, z[: self.model.n], p))
            return jnp.concatenate([y, z[self.model.n :]])

        before_rate, z_after = field(t, z, p, decisions), after(t, z, p)
        step = QUIET * self.model.t_end
        after_rate = field(t, z_after, p, field.decisions_ahead(t, z_after, p, step))
        # as the time goes on along the flow before the event
        _, crossing = jax.jvp(lambda t, z: self.value(event, t, z, p), (t, z), (one, before_rate))
        _, moving = jax.jvp(lambda t, z: after(t, z, p), (t, z), (one, before_rate))

        def push(tangent, seed):
            _, shift = jax.jvp(lambda z, p: self.value(event, t, z, p), (z, p), (tangent, seed))
            _, jumped = jax.jvp(lambda z, p: after(t, z, p), (z, p), (tangent, seed))
            slope = -shift / crossing
            return jumped, (moving - after_rate) * slope, slope

        jumped, extra, slope = jax.vmap(push, in_axes=-1, out_axes=-1)(tangents, seeds)
        tangents = jumped + extra if self.saltation else jumped
        behind = self._behind(t, z_after, tangents, slope, before_rate, p)
        return behind if self.saltation else behind._replace(neglected=extra)

    def drift(self, t, z, tangents, p) -> Crossing:
        """Through a threshold in a direction in which nothing happens, traced."""
        return self._behind(t, z, tangents, jnp.zeros(tangents.shape[1]), z, p)

    def _behind(self, t, z, tangents, slope, rate, p) -> Crossing:
        field, step = self._field(), QUIET * self.model.t_end
        decisions = field.decisions_ahead(t, z, p, step)
        ahead = z + step * field(t, z, p, decisions)
        signs = jnp.sign(self._values(t + step, ahead, p))
        return Crossing(z, tangents, slope, rate, signs, decisions, jnp.zeros_like(tangents))


class _Plain:
    """A vector field that decides its branches anew in every evaluation, as a solver sees it."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, t, z, p, decisions):
        return self.function(t, z, p)

    def decisions(self, t, z, p):
        return []

    def decisions_ahead(self, t, z, p, step):
        return []


class _Journey:
    """One solve: the rows that are filled so far, the counts, the events."""

    def __init__(self, program: SegmentedProgram, times, rtol, atol, control, columns, p) -> None:
        model = program.model
        if float(control.steps) > 0:
            raise SettingError("equal steps do not stop at events; leave `steps` out.")
        self.program, self.model = program, model
        self.names = list(program.events)
        self.columns = np.asarray(columns)
        seeds = np.zeros((model.m, len(self.columns)))
        seeds[self.columns, np.arange(len(self.columns))] = model.parameter_scale[self.columns]
        self.p = model.nominal if p is None else np.asarray(p, dtype=np.float64)
        self.seeds = seeds
        self.times = np.repeat(times, 2) if len(times) == 1 else times  # see Program.__call__
        self.given = len(times)
        self.settings = (float(rtol), float(atol), control)
        self.seconds = self.compile_seconds = 0.0
        self.counts = np.zeros(3, dtype=np.int64)
        self.indicator = 0.0
        self.crossed = Crossed(0.0, 0.0)
        self.hits: list[Hit] = []

    def run(self) -> tuple[Raw, float, float]:
        begin = self._call("start", self.program.start, (self.p, self.seeds))
        self.states = np.full((len(self.times), len(begin.state)), np.nan)
        self.tangents = np.full((*self.states.shape, len(self.columns)), np.nan)
        self.row = 0
        result = self._travel(begin)
        steps, accepted, rejected = self.counts
        raw = Raw(
            states=self.states[: self.given],
            tangents=self.tangents[: self.given],
            indicator=self.indicator,
            steps=steps,
            accepted=accepted,
            rejected=rejected,
            result=result,
            hits=tuple(self.hits),
            crossed=self.crossed,
        )
        return raw, self.seconds, self.compile_seconds

    def _call(self, key: Any, function: Any, inputs: Any) -> Any:
        out, run, compiling = self.program.run((key, len(self.columns)), function, inputs)
        self.seconds, self.compile_seconds = self.seconds + run, self.compile_seconds + compiling
        return out

    def _travel(self, here: Crossing) -> int:
        now, soon = 0.0, 0
        while True:
            leg, fired = self._leg(now, here)
            done = float(leg.stop)
            ended = fired is None
            near = SAME_TIME * self.model.t_end
            stop = np.searchsorted(self.times, done + near if ended else done - near, "right")
            rows = slice(self.row, max(int(stop), self.row))
            self.states[rows], self.tangents[rows] = leg.states[rows], leg.tangents[rows]
            self.row = rows.stop
            if bool(leg.strayed):
                return UNDECLARED_SWITCH
            soon = soon + 1 if done - now < QUIET * self.model.t_end else 0
            if bool(leg.lost) or soon >= ACCUMULATING:
                return LOST_EVENT
            if fired is None:
                return int(leg.result)
            if len(self.hits) >= MAX_EVENTS:
                return TOO_MANY_EVENTS
            here = self._through(fired, done, leg, here)
            now = done
            at_event = int(np.searchsorted(self.times, done + near, "right"))
            self.states[self.row : at_event] = here.state
            self.tangents[self.row : at_event] = here.tangents
            self.row = max(self.row, at_event)
            if self.row >= len(self.times) and not np.any(self.times > done):
                return int(diffrax.RESULTS.successful._value)

    def _leg(self, now: float, here: Crossing) -> tuple[Leg, str | None]:
        """The leg up to the first event, and the event's name."""
        inputs = (
            np.float64(now), here.state, here.tangents, here.signs, here.decisions, self.times,
            self.p, self.seeds, *self.settings,
        )  # fmt: skip
        leg = self._call(("leg", len(self.times)), self.program.leg, inputs)
        self.counts += leg.counts
        self.indicator = max(self.indicator, float(leg.indicator))
        self.crossed = Crossed(*map(max, self.crossed, leg.crossed or self.crossed))
        stuck = int(leg.fired) < 0 or not np.all(np.isfinite(leg.state))
        return leg, None if stuck else self.names[int(leg.fired)]

    def _through(self, fired: str, now: float, leg: Leg, before: Crossing) -> Crossing:
        """Through an event, and through jumps at the same time."""
        sign = before.signs[self.names.index(fired)]
        if self.program.events[fired].direction * sign > 0:  # it goes the other way
            inputs = (np.float64(now), leg.state, leg.tangent, self.p)
            return self._call("drift", self.program.drift, inputs)
        here = self._cross(fired, now, leg.state, leg.tangent, before.decisions)
        for index, name in enumerate(self.names):
            event, now_sign = self.program.events[name], here.signs[index]
            turned = now_sign != before.signs[index] and event.direction * now_sign >= 0
            if name != fired and event.jump is not None and turned:
                here = self._cross(name, now, here.state, here.tangents, here.decisions)
        return here

    def _cross(
        self, name: str, now: float, state: Array, tangents: Array, decisions: Any
    ) -> Crossing:
        event = self.program.events[name]
        crossing = self._call(
            ("cross", name),
            lambda *inputs: self.program.cross(event, *inputs),
            (np.float64(now), state, tangents, decisions, self.p, self.seeds),
        )
        self.hits.append(Hit(name, now, crossing.slope, state, tangents, crossing.rate))
        missing = Neglected(crossing.neglected, crossing.slope)
        self.crossed = self.crossed.including(missing, crossing.tangents)
        return crossing
