"""Solving a model with events: from event to event, with a jump of the tangents at each."""

from __future__ import annotations

import time
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import saltation
from gradaudit.certification.discrete_modes import SlidingError
from gradaudit.certification.event_moment import EventMoment, Instant
from gradaudit.certification.heyoka.precision import Precision, to_float64
from gradaudit.certification.hybrid_system import EVENT_COOLDOWN, Hybrid, Segment, build_hybrid
from gradaudit.certification.one_sided_rows import SAME_TIME, OneSidedRows, contacts
from gradaudit.certification.variational import (
    Options,
    Solution,
    Variational,
    Watch,
    build,
    solve,
)
from gradaudit.errors import TranslationError
from gradaudit.model.definition import Model
from gradaudit.model.moment import UnsettledMomentError, alike, outcomes
from gradaudit.records.results import EventRecord

Array = NDArray[Any]

MAX_EVENTS = 20_000
GRAZING = 1e-9  # transversality below which the event time has no usable derivative


def solve_hybrid(whole: Hybrid, times: NDArray[np.float64], options: Options) -> Solution:
    """`gradaudit.certification.variational.solve` for a model with events.

    An observation at the time of an event is made after it.

    Raises
    ------
    TranslationError
        If the vector field switches where no event is declared.
    """
    started = time.perf_counter()
    watch = options.watch(whole.model.t_end, whole.precision, whole.tolerance)
    run = _Run(whole, times, watch, options.max_step)
    status = run.solve(options.first_step, options.departure)
    count = whole.reader.size
    return Solution(
        times=times,
        values=run.values,
        derivatives=run.derivatives.reshape(len(times), count, whole.model.m),
        status=status,
        steps=run.watch.steps,
        run_seconds=time.perf_counter() - started,
        build_seconds=whole.build_seconds,
        precision=whole.precision,
        tolerance=whole.tolerance,
        step_starts=np.array(run.watch.starts),
        step_sizes=np.array(run.watch.sizes),
        event_records=tuple(run.event_records),
        reason=run.reason,
        one_sided=run.one_sided.marked,
        one_sided_causes=tuple(run.one_sided.causes),
    )


class _Run:
    """One solve: the state between segments, and the rows that are filled so far."""

    def __init__(
        self, whole: Hybrid, times: NDArray[np.float64], watch: Watch, max_step: float | None
    ) -> None:
        self.whole, self.times, self.watch, self.max_step = whole, times, watch, max_step
        precision, size, m = whole.precision, whole.reader.size, whole.model.m
        nan = precision.number(float("nan"))
        self.values: Array = np.full((len(times), size), nan, dtype=precision.fp_type)
        self.derivatives: Array = np.full((len(times), size, m), nan, dtype=precision.fp_type)
        self.p = np.array(list(precision.array(whole.model.nominal)), dtype=object)
        self.event_records: list[EventRecord] = []
        self.reason = ""
        self.one_sided = OneSidedRows(whole.model, times, size)
        self.row = 0

    def solve(self, first_step: float | None, departure: tuple[float, Array] | None) -> str:
        precision = self.whole.precision
        now = precision.number(0.0)
        try:
            segment = self.whole.start()
        except SlidingError:
            return "sliding"
        state = segment.variational.initial.copy()
        self._note_contact(segment, now, state, {}, "the initial state puts the solution")
        last = float(self.times[-1])
        if departure is not None:
            self._fill_upto(now, state, segment)
            now, state = precision.number(departure[0]), departure[1]
        while True:
            began = now
            stop, fired, status = self._advance(segment, now, state, first_step, last)
            first_step = None
            if status == "ok" and fired is None:
                fired = self._due(segment, stop, began)
            if status != "ok" or fired is None:
                return status
            if len(self.event_records) >= MAX_EVENTS:
                return "max_events"
            now = stop
            try:
                outcome = self._event(segment, now, fired)
            except saltation.AmbiguousJumpError as error:
                outcome = self._because(
                    f"at t = {float(now):.6g} {error} switches branches just where it happens"
                )
            if isinstance(outcome, str):
                return outcome
            segment, state = outcome
            if float(now) >= last - self._near:
                # at the end of the window, too, an observation is made after the event
                self.row = int(np.searchsorted(self.times, float(now) - self._near, "left"))
                self._fill_upto(now, state, segment)
                return "ok"

    @property
    def _near(self) -> float:
        return SAME_TIME * self.whole.model.t_end

    def _due(self, segment: Segment, now: Any, began: Any) -> str | None:
        """The event that happens at the end of the window, where the solve stops before it."""
        if float(now) - float(began) <= self._near:
            return None
        z = np.array(list(segment.variational.integrator.state[: self.whole.reader.size]))
        rates = segment.rates(now, z, self.p)
        return next(iter(self._together(None, now, z, rates)), None)

    def _fill_upto(self, now: Any, state: Array, segment: Segment) -> None:
        """Observations at the time of an event, or just at its side, are made after it."""
        near = float(now) + self._near
        while self.row < len(self.times) and self.times[self.row] <= near:
            aside = self.whole.precision.number(self.times[self.row]) - now
            if aside:
                segment.begin(now, state, self.whole.precision, span=aside)
                state, now = segment.variational.integrator.state.copy(), now + aside
            self._store(self.row, state, segment)
            self.row += 1

    def _store(self, row: int, state: Array, segment: Segment) -> None:
        system = segment.variational
        self.values[row] = state[: self.whole.reader.size]
        self.derivatives[row] = np.stack([state[part] for part in system.rows])

    def _advance(
        self, segment: Segment, now: Any, state: Array, first_step: float | None, last: float
    ) -> tuple[Any, str | None, str]:
        """Integrate up to the next event or to the end; the time, the event's name, a status."""
        ta, precision = segment.variational.integrator, self.whole.precision
        self._fill_upto(now, state, segment)
        sides = self._sides(segment, now, state)
        segment.begin(now, state, precision)
        if self._lost(sides, self._sides(segment, ta.time, ta.state)):
            return now, None, "lost_event"
        self._fill_upto(ta.time, ta.state.copy(), segment)
        later = self.times[self.row :]
        if not len(later):
            return now, None, self.watch.status
        limits: dict[str, Any] = {}
        if self.max_step is not None:
            limits["max_delta_t"] = precision.number(self.max_step)
        if first_step is not None:
            outcome, _ = ta.step(precision.number(min(first_step, 0.5 * float(later[0]))))
            fired = _stopped_by(outcome, list(self.whole.model.events))
            if fired is not None:
                return ta.time, fired, "ok"
        grid = precision.array(np.concatenate([[0.0], later]))
        grid[0] = ta.time
        outcome, *_, reached = ta.propagate_grid(grid, callback=self.watch, **limits)
        fired = _stopped_by(outcome, list(self.whole.model.events))
        reached = reached[1:]
        if fired is not None:
            # what lies at the event itself belongs behind it
            before = float(ta.time) - self._near
            reached = reached[: int(np.searchsorted(later[: len(reached)], before))]
        for values in reached:
            time_here = precision.number(self.times[self.row])
            here = self._sides(segment, time_here, values, ahead=False)
            if self._lost(sides, here):
                return ta.time, None, "lost_event"
            sides = np.where(here != 0.0, here, sides)
            self._store(self.row, values, segment)
            self.row += 1
        self._check_boundaries(segment, float(ta.time), at_event=fired is not None)
        if segment.touched:
            name, when = segment.touched[0]
            self.reason = f"at t = {when:.6g} the solution touches the threshold of {name!r}"
            behind = self.times >= when - self._near
            self.values[behind] = self.derivatives[behind] = self.whole.precision.number(np.nan)
            return ta.time, None, "grazing"
        if outcome == hy.taylor_outcome.err_nf_state:
            return ta.time, None, "non_finite"
        return ta.time, fired, self.watch.status

    def _sides(
        self, segment: Segment, now: Any, state: Array, *, ahead: bool = True
    ) -> NDArray[np.float64]:
        """On which side of each threshold a state is, 0 if that is unclear.

        Close to a threshold it is the side to which the flow leads, unless not `ahead`.
        """
        z = np.array(list(state[: self.whole.reader.size]), dtype=object)
        rates = segment.rates(now, z, self.p)
        sides = []
        for effect in self.whole.effects.values():
            at = effect.crossing(now, z, self.p)
            value, rate = float(at["g"]), float(at["g_t"] + at["g_z"] @ rates)
            close = abs(value) <= 10.0 * abs(rate) * EVENT_COOLDOWN * self.whole.model.t_end
            sides.append(np.sign(rate if ahead else 0.0) if close else np.sign(value))
        return np.array(sides)

    def _lost(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
        """Whether an event must have happened between two states of a segment, unnoticed.

        Where events accumulate, the next one comes sooner than it can be seen.
        """
        directions = np.array([e.direction for e in self.whole.model.events.values()])
        turned = (before * after < 0.0) & (directions * after >= 0.0)
        return bool(np.any(turned))

    def _check_boundaries(self, segment: Segment, end: float, *, at_event: bool) -> None:
        t_end = self.whole.model.t_end
        for name, when in segment.crossed:
            inside = when - segment.started > 1e-9 * t_end
            if inside and not (at_event and end - when < 1e-9 * t_end):
                raise TranslationError(
                    f"{self.whole.reader.where}: the primitive {name!r} switches branches at "
                    f"t = {when:.6g}, where none of the declared events "
                    f"({', '.join(self.whole.model.events)}) happens. Declare an event that is "
                    "zero there, with the direction of that crossing or with direction 0."
                )

    def _event(self, segment: Segment, now: Any, fired: str) -> tuple[Segment, Array] | str:
        """Through the events of a moment: the segment and the state after them, or a status."""
        whole, system = self.whole, segment.variational
        size = whole.reader.size
        raw = system.integrator.state
        z = np.array(list(raw[:size]), dtype=object)
        tangents = np.array([list(raw[part]) for part in system.rows], dtype=object)
        before = Instant(z, tangents, segment.rates(now, z, self.p))
        names, slopes = self._together(fired, now, z, before.rate), {}
        for name in names:
            effect = whole.effects[name].crossing(now, z, self.p)
            if saltation.transversality(effect, before.rate) < GRAZING:
                return "grazing"
            slopes[name] = saltation.event_time_slope(effect, tangents, before.rate)
        together = all(alike(slopes[fired], other) for other in slopes.values())
        outcome = self._jumps(segment, now, before, slopes, together=together)
        if isinstance(outcome, str):
            return outcome
        after, records = outcome
        happened = {record.name: record for record in reversed(records)}
        passed = [happened.get(k) or EventRecord(k, now, slopes[k], *before) for k in names]
        self.event_records += [*passed, *(r for r in records if r.name not in names)]
        doubles = to_float64(np.array([float(x) for x in after.z]))
        try:
            following = whole.segment(whole.reader.mode_at(float(now), doubles))
        except SlidingError:
            return "sliding"
        change = (fired, segment.mode, following.mode)
        if following is not segment and not (
            together
            and whole.coincidence.holds(change, float(now), z, after.z, tangents, slopes[fired])
        ):
            return self._because(
                f"at t = {float(now):.6g} the event {fired!r} meets another event, or a switch of "
                "the vector field, whose time depends on the parameters in another way"
            )
        rate = following.rates(now, after.z, self.p)
        behind = after.tangents + np.outer(after.rate - rate, slopes[fired])
        ahead, back = (before.z, before.tangents), (after.z, behind)
        self.one_sided.note_observation(float(now), {k: slopes[k] for k in names}, ahead, back)
        state = following.variational.initial.copy()
        state[:size] = list(after.z)
        for part, row in zip(following.variational.rows, behind, strict=True):
            state[part] = list(row)
        jumps = " and ".join(repr(record.name) for record in records)
        verb, first = "puts" if len(records) == 1 else "put", {fired: slopes[fired]}
        self._note_contact(following, now, state, first | slopes, f"{jumps} {verb} the solution")
        return following, state

    def _note_contact(
        self, segment: Segment, now: Any, state: Array, slopes: dict[str, Array], what: str
    ) -> None:
        z = np.array(list(state[: self.whole.reader.size]), dtype=object)
        tangents = np.array([list(state[row]) for row in segment.variational.rows], dtype=object)
        names, columns = contacts(
            self.whole.model.events, self.whole.effects, now, z, tangents,
            segment.rates(now, z, self.p), slopes, self.p, self.whole.model.parameter_scale,
        )  # fmt: skip
        self.one_sided.note_contact(float(now), names, columns, what)

    def _jumps(
        self, segment: Segment, now: Any, before: Instant, slopes: dict[str, Array], *,
        together: bool,
    ) -> tuple[Instant, tuple[EventRecord, ...]] | str:  # fmt: skip
        """Through all jumps of a moment, or a status; `together`: their times have one slope."""
        model = self.whole.model
        jumping = {k: slope for k, slope in slopes.items() if model.events[k].jump is not None}
        if not jumping:
            return before, ()
        results = []
        for apart in (False,) if together else (False, True):
            moment = EventMoment(
                model, self.whole.effects, now, self.p, jumping,
                rates=lambda z: segment.rates(now, z, self.p),
                sides=lambda z: self._sides(segment, now, z),
                apart=apart,
            )  # fmt: skip
            try:
                after, settled = outcomes(
                    moment, moment.begin(before), list(jumping),
                    ranked=together, differs=moment.differs,
                )  # fmt: skip
            except UnsettledMomentError as error:
                return self._because(f"at t = {float(now):.6g} {error}")
            results.append(after)
            new = len(after.records) > len(jumping)
            if not settled or (not together and new) or moment.differs(results[0], after):
                names = " and ".join(repr(record.name) for record in after.records)
                return self._because(
                    f"the events {names} happen together at t = {float(now):.6g} and the result "
                    "depends on their order"
                    + (": give them priorities" if together else ", which the parameters change")
                )
        return results[0].now, results[0].records

    def _because(self, reason: str) -> str:
        """The status of a moment that has no one outcome, with the reason kept."""
        self.reason = reason
        return "simultaneous_events"

    def _together(self, fired: str | None, now: Any, z: Array, before: Array) -> list[str]:
        """The event that stopped the solve, and those that happen at the same time."""
        names = []
        for name, event in self.whole.model.events.items():
            effect = self.whole.effects[name].crossing(now, z, self.p)
            rate = effect["g_t"] + effect["g_z"] @ before
            soon = abs(effect["g"]) <= abs(rate) * self._near
            if name == fired or (soon and rate != 0 and event.direction * rate >= 0):
                names.append(name)
        return names


def _stopped_by(outcome: Any, names: list[str]) -> str | None:
    """The event that stopped heyoka: it codes event i as the outcome -1 - i."""
    index = -1 - int(outcome)
    return names[index] if 0 <= index < len(names) else None


def build_system(model: Model, *, precision: Precision, tolerance: float) -> Variational | Hybrid:
    """What `solve_system` solves, with events or without."""
    builder = build_hybrid if model.events else build
    return builder(model, precision=precision, tolerance=tolerance)


def solve_system(
    system: Variational | Hybrid, times: NDArray[np.float64], options: Options
) -> Solution:
    """`solve` or `solve_hybrid`."""
    if isinstance(system, Hybrid):
        return solve_hybrid(system, times, options)
    return solve(system, times, options)
