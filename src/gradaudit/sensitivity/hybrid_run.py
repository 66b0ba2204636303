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

from gradaudit.backend.jaxpr.branches import differ
from gradaudit.errors import SettingError
from gradaudit.model.moment import UnsettledMomentError, alike, outcomes, same_entries
from gradaudit.records.results import EventRecord
from gradaudit.sensitivity.hybrid_moment import HybridMoment, Slopes
from gradaudit.sensitivity.hybrid_program import HybridProgram
from gradaudit.sensitivity.hybrid_types import EVENT_COOLDOWN, EventTransition, Segment, Triggered
from gradaudit.sensitivity.solve_status import (
    GRAZING,
    LOST_EVENT,
    SIMULTANEOUS_EVENTS,
    TOO_MANY_EVENTS,
    UNDECLARED_SWITCH,
    Raw,
)
from gradaudit.solvers.error_norm import Control
from gradaudit.solvers.missed_saltation import Crossed, Neglected
from gradaudit.solvers.options import TracedOptions

Array = NDArray[Any]

MAX_EVENTS = 20_000
ACCUMULATING = 3  # events in a row, each as good as at the time of the one before
SAME_TIME = 1e-12  # of the window: what is not as close to an event is not at it
LOCATED = 16.0  # roundings of the window: so well bisection finds the time of an event


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
        self.one_sided = np.zeros(len(self.columns), dtype=bool)

    def run(self) -> tuple[Raw, float, float]:
        begin = self._call("start", self.program.start, (self.p, self.seeds))
        self.states = np.full((len(self.times), len(begin.state)), np.nan)
        self.tangents = np.full((*self.states.shape, len(self.columns)), np.nan)
        self.errors = (np.full_like(self.states, np.nan), np.full_like(self.tangents, np.nan))
        self.row = 0
        passed = self._call("passed", self.program.passed_at_start, (self.p, begin))
        result = LOST_EVENT if bool(passed) else self._travel(begin)
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
            one_sided=self.one_sided,
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
            if event_name is None and done >= self.model.t_end and int(segment.result) == 0:
                event_name = next(iter(self._due(segment, now, here)), None)
            near = LOCATED * float(np.finfo(self.program.options.dtype).eps) * self.model.t_end
            if event_name is None:
                stop = int(np.searchsorted(self.times, done + near, "right"))
            else:
                stop = self._first_at(event_name, segment, here, near)
            rows = slice(self.row, max(stop, self.row))
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
            if bool(segment.touched):
                return GRAZING
            if bool(segment.missed_event) or soon >= ACCUMULATING:
                return LOST_EVENT
            if self.counts[0] > self.program.options.max_steps:
                return int(diffrax.RESULTS.max_steps_reached._value)
            if event_name is None:
                return int(segment.result)
            if len(self.event_records) >= MAX_EVENTS:
                return TOO_MANY_EVENTS
            behind = self._through(event_name, done, segment, here, now)
            if isinstance(behind, int):
                return behind
            here, now = behind, done
            at_event = int(np.searchsorted(self.times, done + near, "right"))
            self._fill(slice(self.row, at_event), here.state, here.tangents, here.error)
            self.row = max(self.row, at_event)
            if self.row >= len(self.times) and not np.any(self.times > done):
                return int(diffrax.RESULTS.successful._value)

    def _first_at(self, name: str, segment: Segment, before: EventTransition, near: float) -> int:
        """The first observation that is not made before the event that ends a segment.

        Rounding may move an event function, so it is asked itself whether it is zero there.
        """
        done, far = float(segment.stop), SAME_TIME * self.model.t_end
        begin, end = np.searchsorted(self.times, [done - max(far, near), done - near], "right")
        index = self.names.index(name)
        for row in range(begin, end):
            at = (self.times[row], segment.states[row], self.p)
            if self._call("values", self.program.values, at)[index] * before.signs[index] <= 0.0:
                return row
        return int(end)

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

    def _due(self, segment: Segment, now: float, before: EventTransition) -> list[str]:
        """The events whose functions cross zero where a segment ends, in their directions."""
        if float(segment.stop) - now < EVENT_COOLDOWN * self.model.t_end:
            return []
        return [
            name
            for (name, event), sign, ahead in zip(
                self.program.events.items(), before.signs, segment.signs_ahead, strict=True
            )
            if sign != ahead and event.direction * ahead >= 0
        ]

    def _through(
        self, event_name: str, now: float, segment: Segment, before: EventTransition, start: float
    ) -> EventTransition | int:
        """Through all events of a moment; or the code of what is in the way."""
        events = self.program.events
        sign = before.signs[self.names.index(event_name)]
        if events[event_name].direction * sign > 0:  # it goes the other way
            inputs = (np.float64(now), segment.state, segment.tangent, segment.error, self.p)
            behind = self._call("drift", self.program.drift, inputs)
            turned = bool(differ(before.decisions, behind.decisions))
            return UNDECLARED_SWITCH if turned else behind
        if segment.signs_ahead[self.names.index(event_name)] == sign:
            return GRAZING  # it is crossed there and back before anything else is looked at
        at = Triggered(segment.state, segment.tangent, segment.error, before.decisions)
        due = self._due(segment, start, before)
        names = [name for name in self.names if name == event_name or name in due]
        firsts = {name: self._transition(name, now, at) for name in names}
        finite = all(np.all(np.isfinite(x.slope)) for x in firsts.values())
        if self.program.options.saltation and not finite:
            return GRAZING
        together = not finite or all(
            alike(firsts[event_name].slope, x.slope) for x in firsts.values()
        )
        jumping = {name: x for name, x in firsts.items() if events[name].jump is not None}
        executed = jumping or {event_name: firsts[event_name]}
        results = []
        for apart in (False,) if together else (False, True):
            moment = HybridMoment(
                self.model, events, executed,
                lambda name, here, slopes, trigger: self._transition(
                    name, now, here, slopes, trigger
                ),
                time=now, apart=apart,
            )  # fmt: skip
            begin = moment.begin(at, np.asarray(before.signs))
            try:
                progress, settled = outcomes(
                    moment, begin, list(executed), ranked=together, differs=moment.differs
                )
            except UnsettledMomentError:
                return SIMULTANEOUS_EVENTS
            results.append(progress)
            new = len(progress.happened) > len(executed)
            if not settled or (not together and new) or moment.differs(results[0], progress):
                return SIMULTANEOUS_EVENTS
        happened = {name: (at, crossing) for name, crossing in firsts.items()}
        happened |= {name: (when, crossing) for name, when, crossing in results[0].happened}
        last = results[0].happened[-1][2]
        if bool(differ(before.decisions, last.decisions)):
            if not together:
                return SIMULTANEOUS_EVENTS
            change = (event_name, *(np.asarray(x).tobytes() for x in last.decisions))
            if not self.program.coincidence.holds(
                change, now, at.state, last.state, at.tangents, firsts[event_name].slope,
                p=self.p, seeds=self.seeds,
            ):  # fmt: skip
                return UNDECLARED_SWITCH
        for name, (when, crossing) in happened.items():
            self._record(name, now, when, crossing)
        if together and len(last.onto_threshold):
            self.one_sided |= np.asarray(last.onto_threshold)
        self._note_one_sided(now, at, last, [x.slope for x in firsts.values()])
        return last

    def _record(self, name: str, now: float, when: Triggered, crossing: EventTransition) -> None:
        self.event_records.append(
            EventRecord(name, now, crossing.slope, when.state, when.tangents, crossing.rate)
        )
        if crossing.perturbed:
            self.perturbed_events.append(EventRecord(name, *crossing.perturbed))
        missing = Neglected(crossing.neglected, crossing.slope)
        self.crossed = self.crossed.including(missing, crossing.tangents)

    def _transition(
        self,
        name: str,
        now: float,
        here: Triggered,
        slopes: Slopes | None = None,
        trigger: Triggered | None = None,
    ) -> EventTransition:
        event = self.program.events[name]
        inputs: tuple[Any, ...] = (np.float64(now), *here, self.p, self.seeds)
        if slopes is not None:
            inputs += (slopes, trigger)
        return self._call(
            ("transition", name, slopes is None),
            lambda *inputs: self.program.transition(event, *inputs),
            inputs,
        )

    def _note_one_sided(
        self, now: float, before: Triggered, after: EventTransition, slopes: Sequence[Array]
    ) -> None:
        """Parameters whose derivatives at an observation are one-sided, as an event is there."""
        near = SAME_TIME * self.model.t_end
        if not np.any(np.abs(self.times - now) <= near):
            return
        moving = np.max(np.abs(np.stack(slopes)), axis=0) > near
        leaping = ~same_entries(before.state, after.state)
        turning = ~same_entries(before.tangents, after.tangents)
        self.one_sided |= moving & np.any(leaping[:, None] | turning, axis=0)
