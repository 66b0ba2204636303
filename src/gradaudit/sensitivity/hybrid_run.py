"""The way of a solve from event to event: what is done in which order, and what is kept of it.

`Segment` and `EventTransition` are what a `gradaudit.sensitivity.hybrid_program.HybridProgram`
returns, traced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import diffrax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradaudit.errors import SettingError
from gradaudit.records.results import EventRecord
from gradaudit.sensitivity.hybrid_program import HybridProgram
from gradaudit.sensitivity.hybrid_types import EVENT_COOLDOWN, EventTransition, Segment
from gradaudit.sensitivity.solve_status import LOST_EVENT, TOO_MANY_EVENTS, UNDECLARED_SWITCH, Raw
from gradaudit.solvers.error_norm import Control
from gradaudit.solvers.missed_saltation import Crossed, Neglected
from gradaudit.solvers.options import TracedOptions

Array = NDArray[Any]

MAX_EVENTS = 20_000
ACCUMULATING = 3  # events in a row, each as good as at the time of the one before
SAME_TIME = 1e-12  # of the window: an observation so close to an event is made after it


class HybridRun:
    """One solve: the rows that are filled so far, the counts, the events."""

    def __init__(
        self,
        program: HybridProgram,
        times: np.ndarray,
        traced: TracedOptions,
        control: Control,
        columns: ArrayLike,
        p: ArrayLike | None,
    ) -> None:
        model = program.model
        if float(traced.steps) > 0:
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
        self.settings = (traced, control)
        self.seconds = self.compile_seconds = 0.0
        self.counts = np.zeros(3, dtype=np.int64)
        self.indicator = 0.0
        self.crossed = Crossed(0.0, 0.0)
        self.event_records: list[EventRecord] = []
        self.perturbed_events: list[EventRecord] = []

    def run(self) -> tuple[Raw, float, float]:
        begin = self._call("start", self.program.start, (self.p, self.seeds))
        self.states = np.full((len(self.times), len(begin.state)), np.nan)
        self.tangents = np.full((*self.states.shape, len(self.columns)), np.nan)
        self.errors = (np.full_like(self.states, np.nan), np.full_like(self.tangents, np.nan))
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
            event_records=tuple(self.event_records),
            perturbed=tuple(self.perturbed_events),
            crossed=self.crossed,
            estimates=tuple(x[: self.given] for x in self.errors) if begin.error else (),
        )
        return raw, self.seconds, self.compile_seconds

    def _call(self, key: Any, function: Any, inputs: Any) -> Any:
        out, run, compiling = self.program.run((key, len(self.columns)), function, inputs)
        self.seconds, self.compile_seconds = self.seconds + run, self.compile_seconds + compiling
        return out

    def _travel(self, here: EventTransition) -> int:
        now, soon = 0.0, 0
        while True:
            segment, event_name = self._segment(now, here)
            done = float(segment.stop)
            ended = event_name is None
            near = SAME_TIME * self.model.t_end
            stop = np.searchsorted(self.times, done + near if ended else done - near, "right")
            rows = slice(self.row, max(int(stop), self.row))
            self._fill(
                rows,
                segment.states[rows],
                segment.tangents[rows],
                [x[rows] for x in segment.errors],
            )
            self.row = rows.stop
            if bool(segment.changed_branch):
                return UNDECLARED_SWITCH
            soon = soon + 1 if done - now < EVENT_COOLDOWN * self.model.t_end else 0
            if bool(segment.missed_event) or soon >= ACCUMULATING:
                return LOST_EVENT
            if self.counts[0] > self.program.options.max_steps:
                return int(diffrax.RESULTS.max_steps_reached._value)
            if event_name is None:
                return int(segment.result)
            if len(self.event_records) >= MAX_EVENTS:
                return TOO_MANY_EVENTS
            here = self._through(event_name, done, segment, here)
            now = done
            at_event = int(np.searchsorted(self.times, done + near, "right"))
            self._fill(slice(self.row, at_event), here.state, here.tangents, here.error)
            self.row = max(self.row, at_event)
            if self.row >= len(self.times) and not np.any(self.times > done):
                return int(diffrax.RESULTS.successful._value)

    def _fill(self, rows: slice, states: Array, tangents: Array, errors: Sequence[Array]) -> None:
        self.states[rows], self.tangents[rows] = states, tangents
        for kept, error in zip(self.errors, errors, strict=False):  # none without estimates
            kept[rows] = error

    def _segment(self, now: float, here: EventTransition) -> tuple[Segment, str | None]:
        """The segment up to the first event, and the event's name."""
        inputs = (
            np.float64(now), here.state, here.tangents, here.error, here.signs, here.decisions,
            self.times, self.p, self.seeds, *self.settings,
        )  # fmt: skip
        segment = self._call(("segment", len(self.times)), self.program.segment, inputs)
        self.counts += segment.counts
        self.indicator = float(np.maximum(self.indicator, segment.indicator))  # NaN stays NaN
        self.crossed = Crossed(*map(max, self.crossed, segment.crossed or self.crossed))
        stuck = int(segment.event_index) < 0 or not np.all(np.isfinite(segment.state))
        return segment, None if stuck else self.names[int(segment.event_index)]

    def _through(
        self, event_name: str, now: float, segment: Segment, before: EventTransition
    ) -> EventTransition:
        """Through an event, and through jumps at the same time."""
        sign = before.signs[self.names.index(event_name)]
        if self.program.events[event_name].direction * sign > 0:  # it goes the other way
            inputs = (np.float64(now), segment.state, segment.tangent, segment.error, self.p)
            return self._call("drift", self.program.drift, inputs)
        here = self._transition(
            event_name, now, segment.state, segment.tangent, segment.error, before.decisions
        )
        for index, name in enumerate(self.names):
            event, now_sign = self.program.events[name], here.signs[index]
            turned = now_sign != before.signs[index] and event.direction * now_sign >= 0
            if name != event_name and event.jump is not None and turned:
                here = self._transition(
                    name, now, here.state, here.tangents, here.error, here.decisions
                )
        return here

    def _transition(
        self, name: str, now: float, state: Array, tangents: Array, error: Any, decisions: Any
    ) -> EventTransition:
        event = self.program.events[name]
        crossing = self._call(
            ("transition", name),
            lambda *inputs: self.program.transition(event, *inputs),
            (np.float64(now), state, tangents, error, decisions, self.p, self.seeds),
        )
        self.event_records.append(
            EventRecord(name, now, crossing.slope, state, tangents, crossing.rate)
        )
        if crossing.perturbed:
            self.perturbed_events.append(EventRecord(name, *crossing.perturbed))
        missing = Neglected(crossing.neglected, crossing.slope)
        self.crossed = self.crossed.including(missing, crossing.tangents)
        return crossing
