"""Solving a model with events: from event to event, with a jump of the tangents at each."""

from __future__ import annotations

import time
from typing import Any

import heyoka as hy
import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.close_switches import is_at
from gradaudit.certification.discrete_modes import SlidingError
from gradaudit.certification.heyoka.precision import Precision, to_float64
from gradaudit.certification.hybrid_system import Hybrid, Segment, build_hybrid
from gradaudit.certification.passage import Passage, touched_at, undeclared
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

Array = NDArray[Any]

PAST = 1e-6
"""Of the window: so far behind an extremum that is no event its threshold is watched again."""


def solve_hybrid(whole: Hybrid, times: NDArray[np.float64], options: Options) -> Solution:
    """`gradaudit.certification.variational.solve` for a model with events.

    An observation at the time of an event, to rounding, is made after it.

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
        event_records=tuple(run.passage.event_records),
        reason=run.passage.reason,
        one_sided=run.passage.one_sided.marked,
        one_sided_causes=tuple(run.passage.one_sided.causes),
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
        self.passage: Passage[Segment] = Passage(whole, times)
        self.row = 0
        self.sides: NDArray[np.float64] = np.zeros(len(whole.model.events))

    def solve(self, first_step: float | None, departure: tuple[float, Array] | None) -> str:
        precision = self.whole.precision
        now = precision.number(0.0)
        try:
            segment = self.whole.start()
        except SlidingError:
            return "sliding"
        state = segment.variational.initial.copy()
        z, tangents = _parts(segment, state)
        self.passage.note_contact(
            segment, now, z, tangents, {}, "the initial state puts the solution"
        )
        if self.passage.too_soon(segment, now, z):
            return "lost_event"
        last, before = float(self.times[-1]), None
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
            if fired == before and not segment.variational.integrator.last_h:
                return "lost_event"  # rounding puts the state onto the threshold that it has left
            now, before = stop, fired
            turning = segment.turning(self.whole.effects[fired], self.passage.p)
            if turning is not None:
                status = self._pass_by(segment, fired, turning)
                if status != "ok":
                    return status
                now, state = (
                    segment.variational.integrator.time,
                    segment.variational.integrator.state.copy(),
                )
                continue
            z, tangents = _parts(segment, segment.variational.integrator.state)
            if self.passage.backwards(self.sides, segment, fired, now, z):
                return "lost_event"
            blur = self.passage.blur(segment, fired, now, z)
            outcome = self.passage.through(segment, now, z, tangents, fired)
            if isinstance(outcome, str):
                return outcome
            segment, z, tangents = outcome
            state = _joined(segment, z, tangents)
            if float(now) >= last - self.passage.near:
                # at the end of the window, too, an observation is made after the event
                self.row = self.passage.first_behind(now, blur)
                self._fill_upto(now, state, segment)
                return "ok"

    def _due(self, segment: Segment, now: Any, began: Any) -> str | None:
        """The event that happens at the end of the window, where the solve stops before it."""
        if float(now) - float(began) <= self.passage.near:
            return None
        z, _ = _parts(segment, segment.variational.integrator.state)
        return self.passage.due(segment, now, z)

    def _fill_upto(self, now: Any, state: Array, segment: Segment) -> None:
        """Observations at the time of an event, or just at its side, are made after it."""
        near = float(now) + self.passage.near
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
        if self.passage.lost(sides, self._sides(segment, ta.time, ta.state)):
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
                self._check_boundaries(segment, fired)
                self._verify(segment, fired)
                return ta.time, fired, "ok"
        grid = precision.array(np.concatenate([[0.0], later]))
        grid[0] = ta.time
        outcome, *_, reached = ta.propagate_grid(grid, callback=self.watch, **limits)
        fired = _stopped_by(outcome, list(self.whole.model.events))
        reached = reached[1:]
        if fired is not None:
            # what lies at the event itself belongs behind it
            z, _ = _parts(segment, ta.state)
            blur = self.passage.blur(segment, fired, ta.time, z)
            count = max(self.passage.first_behind(ta.time, blur) - self.row, 0)
            reached = list(reached[:count])
            for when in later[len(reached) : count]:
                ta.update_d_output(precision.number(when))
                reached.append(ta.d_output.copy())
        for values in reached:
            time_here = precision.number(self.times[self.row])
            here = self._sides(segment, time_here, values, ahead=False)
            if self.passage.lost(sides, here):
                return ta.time, None, "lost_event"
            sides = np.where(here != 0.0, here, sides)
            self._store(self.row, values, segment)
            self.row += 1
        self._check_boundaries(segment, fired)
        self._verify(segment, fired)
        self.sides = sides
        if segment.touched:
            return ta.time, None, self._grazing(segment)
        if outcome == hy.taylor_outcome.err_nf_state:
            return ta.time, None, "non_finite"
        return ta.time, fired, self.watch.status

    def _grazing(self, segment: Segment) -> str:
        """The status of a touched threshold, from which on nothing is known."""
        name, when = segment.touched[0]
        self.passage.reason = touched_at(name, when)
        behind = self.times >= when - self.passage.near
        self.values[behind] = self.derivatives[behind] = self.whole.precision.number(np.nan)
        return "grazing"

    def _pass_by(self, segment: Segment, name: str, turning: Any) -> str:
        """Go on past a zero that is no crossing, and the extremum there, without a threshold."""
        ta, number = segment.variational.integrator, self.whole.precision.number
        until = max(ta.time, turning) + number(PAST * self.whole.model.t_end)
        own = list(self.whole.effects).index(name)
        before = self._sides(segment, ta.time, ta.state)
        before[own] = 0.0
        while ta.time < until:
            segment.begin(ta.time, ta.state.copy(), self.whole.precision, span=until - ta.time)
            self._check_boundaries(segment, None)
            if segment.touched:
                return self._grazing(segment)
            if not self.watch.note(float(ta.time), float(ta.last_h)):
                return self.watch.status
        unseen = self.row < len(self.times) and self.times[self.row] <= float(until)
        if unseen or self.passage.lost(before, self._sides(segment, ta.time, ta.state)):
            return "lost_event"
        return "ok"

    def _sides(
        self, segment: Segment, now: Any, state: Array, *, ahead: bool = True
    ) -> NDArray[np.float64]:
        z = np.array(list(state[: self.whole.reader.size]), dtype=object)
        return self.passage.sides(segment, now, z, ahead=ahead)

    def _check_boundaries(self, segment: Segment, fired: str | None) -> None:
        """Refuse a switch that is neither at the beginning of a segment nor at its event."""
        if not segment.crossed and not segment.turned:
            return
        reader, ta = self.whole.reader, segment.variational.integrator
        moments = [(segment.started, to_float64(segment.began), self.passage.slack)]
        if fired is not None:
            z, _ = _parts(segment, ta.state)
            slack = self.passage.slack_of(segment, fired, ta.time, z)
            moments.append((float(ta.time), to_float64(ta.state[: reader.size]), slack))
        mode = segment.mode
        found = [
            (name, choice, when)
            for name, choice, when in segment.crossed
            if not any(reader.changes_at(at, mode, choice, when) for at in moments)
        ]
        found += [
            (name, choice, when)
            for name, choice, when, length in segment.turned
            if not any(is_at(at, when, length) for at in moments)
        ]
        if found:
            name, choice, when = found[0]
            points = moments[0][:2], (float(ta.time), to_float64(ta.state[: reader.size]))
            raise TranslationError(undeclared(reader, mode, choice, name, when, points))

    def _verify(self, segment: Segment, fired: str | None) -> None:
        """Refuse a mode that the middle of the last step does not show.

        A mode that is left where it begins and entered again where it ends is seen at no crossing:
        that each of these is at an event excuses it.
        """
        ta, half = segment.variational.integrator, self.whole.precision.number(0.5)
        when = ta.time - half * ta.last_h
        if not np.isfinite(float(when)):
            return
        ta.update_d_output(when)
        z = to_float64(ta.d_output[: self.whole.reader.size])
        length = np.inf if fired is None else float(ta.time) - segment.started
        self.whole.reader.verify(float(when), z, segment.mode, length)


def _parts(segment: Segment, state: Array) -> tuple[Array, Array]:
    """State (N,) and tangents (N, m) in the state of an integrator."""
    rows = segment.variational.rows
    z = np.array(list(state[: len(rows)]), dtype=object)
    return z, np.array([list(state[row]) for row in rows], dtype=object)


def _joined(segment: Segment, z: Array, tangents: Array) -> Array:
    """The state of an integrator with a state and tangents."""
    state = segment.variational.initial.copy()
    state[: len(z)] = list(z)
    for part, row in zip(segment.variational.rows, tangents, strict=True):
        state[part] = list(row)
    return state


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
