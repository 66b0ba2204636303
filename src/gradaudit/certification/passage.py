"""The events of a solve, one moment after the other: what both methods of the reference share.

A solve comes to an event with a state and tangents, and goes on with those that are returned. How
the event was found, and what solves the equations between two of them, is nothing to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import saltation
from gradaudit.certification.discrete_modes import BESIDE, SHORT, Mode, Reader, SlidingError
from gradaudit.certification.event_moment import EventMoment, Instant
from gradaudit.certification.heyoka.precision import Precision, to_float64
from gradaudit.certification.one_sided_rows import SAME_TIME, OneSidedRows, contacts
from gradaudit.certification.saltation import Effect
from gradaudit.errors import first_few
from gradaudit.model.definition import Model
from gradaudit.model.moment import UnsettledMomentError, alike, outcomes
from gradaudit.model.switch_coincidence import Coincidence
from gradaudit.records.results import EventRecord

Array = NDArray[Any]

EVENT_COOLDOWN = 1e-11  # of the window: no event is looked for so soon after another
MAX_EVENTS = 20_000
ROUNDINGS, CLOCK = 1e3, 16.0  # how often a state, and the time, may be rounded
GRAZING = 1e-9  # transversality below which the event time has no usable derivative


class Part(Protocol):
    """The equations in one mode."""

    @property
    def mode(self) -> Mode:
        """The branch of each switch."""

    def rates(self, t: Any, z: Array, p: Array) -> Array:
        """f(t, z, p) in this mode, (N,)."""


P = TypeVar("P", bound=Part)
P_co = TypeVar("P_co", bound=Part, covariant=True)


class Whole(Protocol[P_co]):
    """A model with events, mode by mode."""

    @property
    def model(self) -> Model:
        """The model."""

    @property
    def precision(self) -> Precision:
        """In which it is solved."""

    @property
    def reader(self) -> Reader:
        """Which finds modes."""

    @property
    def effects(self) -> Mapping[str, Effect]:
        """Of all events."""

    @property
    def coincidence(self) -> Coincidence:
        """Of events and switches."""

    def segment(self, mode: Mode) -> P_co:
        """The equations in a mode."""


class Passage(Generic[P]):
    """Passes the events of one solve.

    Attributes
    ----------
    event_records
        The events that happened, in order.
    reason
        More words on the status of a moment that has no outcome.
    one_sided
        Rows whose derivatives are one-sided.
    p
        The parameters (m,), in the precision.
    slack
        How wrong the time of the last event may be.
    """

    def __init__(self, whole: Whole[P], times: NDArray[np.float64]) -> None:
        self.whole = whole
        self.p = np.array(list(whole.precision.array(whole.model.nominal)), dtype=object)
        self.event_records: list[EventRecord] = []
        self.reason, self.slack = "", 0.0
        self.one_sided = OneSidedRows(whole.model, times, whole.reader.size)

    @property
    def near(self) -> float:
        """What is as close as this in time is at one moment."""
        return SAME_TIME * self.whole.model.t_end

    def due(self, segment: P, now: Any, z: Array) -> str | None:
        """An event that happens just now, which a solve that ends here has not met.

        One that would happen behind the end, by more than rounding, is none.
        """
        rates = segment.rates(now, z, self.p)
        for name in self._together(None, now, z, rates):
            ahead, blur = self._ahead(name, now, z, rates)
            if ahead <= blur:
                return name
        return None

    def blur(self, segment: P, fired: str, now: Any, z: Array) -> float:
        """By how much an observation at the time of an event, which happens now, may miss it.

        Rounding moves the event, and an observation is given in double precision: the nearest
        number to the event's time is meant to be that time.
        """
        nearest = 0.5 * float(np.spacing(np.nextafter(abs(float(now)), 0.0)))
        return max(self._ahead(fired, now, z, segment.rates(now, z, self.p))[1], nearest)

    def slack_of(self, segment: P, fired: str, now: Any, z: Array) -> float:
        """How wrong the time of an event may be, besides rounding of the time itself.

        What the event function is there shows how well its zero was found.
        """
        rates = segment.rates(now, z, self.p)
        away, blur = self._ahead(fired, now, z, rates)
        rounding = CLOCK * self.whole.precision.eps * abs(float(now))
        return max(min(blur + 2.0 * abs(away), BESIDE * self.whole.model.t_end) - rounding, 0.0)

    def first_behind(self, now: Any, blur: float) -> int:
        """The first observation that is made behind an event, at its time or later."""
        number, times = self.whole.precision.number, self.one_sided.times
        begin = now - number(blur)
        row = int(np.searchsorted(times, float(now)))
        while row > 0 and number(times[row - 1]) >= begin:
            row -= 1
        while row < len(times) and number(times[row]) < begin:
            row += 1
        return row

    def _ahead(self, name: str, now: Any, z: Array, rates: Array) -> tuple[float, float]:
        """How far ahead an event is, along the flow, and by how much rounding may move it.

        That is exact where only the time and parameters enter.
        """
        at = self.whole.effects[name].crossing(now, z, self.p)
        rate, eps = float(at["g_t"] + at["g_z"] @ rates), self.whole.precision.eps
        if not rate:
            return np.inf, self.near
        terms = float(np.abs(at["g_z"]) @ np.abs(z))
        blur = eps * (CLOCK * abs(float(now)) + ROUNDINGS * terms / abs(rate))
        return -float(at["g"]) / rate, min(blur, self.near)

    def too_soon(self, segment: P, now: Any, z: Array, passed: Iterable[str] = ()) -> bool:
        """Whether an event comes sooner behind a moment than it is looked for; notes which.

        `passed` are the events of the moment.
        """
        rates = segment.rates(now, z, self.p)
        for name, event in self.whole.model.events.items():
            at = self.whole.effects[name].crossing(now, z, self.p)
            value, rate = float(at["g"]), float(at["g_t"] + at["g_z"] @ rates)
            window = abs(rate) * self.whole.model.t_end
            ahead = value * rate < 0.0 <= event.direction * rate
            if ahead and name not in passed and abs(value) <= EVENT_COOLDOWN * window:
                away, blur = self._ahead(name, now, z, rates)
                if away > blur:
                    self.reason = self._follows(name, now)
                    return True
        return False

    def _follows(self, name: str, now: Any) -> str:
        return (
            f"at t = {float(now):.6g} the event {name!r} follows by less than "
            f"{EVENT_COOLDOWN:g} of the window"
        )

    def sides(self, segment: P, now: Any, z: Array, *, ahead: bool = True) -> NDArray[np.float64]:
        """On which side of each threshold a state is, 0 if that is unclear.

        Close to a threshold it is the side to which the flow leads, unless not `ahead`.
        """
        rates = segment.rates(now, z, self.p)
        sides = []
        for effect in self.whole.effects.values():
            at = effect.crossing(now, z, self.p)
            value, rate = float(at["g"]), float(at["g_t"] + at["g_z"] @ rates)
            close = abs(value) <= 10.0 * abs(rate) * EVENT_COOLDOWN * self.whole.model.t_end
            sides.append(np.sign(rate if ahead else 0.0) if close else np.sign(value))
        return np.array(sides)

    def lost(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> bool:
        """Whether an event must have happened between two states of a segment, unnoticed.

        Where events accumulate, the next one comes sooner than it can be seen.
        """
        directions = np.array([e.direction for e in self.whole.model.events.values()])
        turned = (before * after < 0.0) & (directions * after >= 0.0)
        return bool(np.any(turned))

    def backwards(
        self, before: NDArray[np.float64], segment: P, fired: str, now: Any, z: Array
    ) -> bool:
        """Whether an event happens from the side on which the state was not, so that one is lost.

        `before` are the sides of all thresholds before it. An event of one direction is not lost
        where the threshold is crossed in the other one.
        """
        if self.whole.model.events[fired].direction:
            return False
        at = self.whole.effects[fired].crossing(now, z, self.p)
        rate = float(at["g_t"] + at["g_z"] @ segment.rates(now, z, self.p))
        return bool(before[list(self.whole.effects).index(fired)] * rate > 0.0)

    def through(
        self, segment: P, now: Any, z: Array, tangents: Array, fired: str
    ) -> tuple[P, Array, Array] | str:
        """Through the events of a moment: segment, state and tangents after them, or a status."""
        if len(self.event_records) >= MAX_EVENTS:
            return "max_events"
        try:
            return self._through(segment, now, z, tangents, fired)
        except saltation.AmbiguousJumpError as error:
            return self._because(
                f"at t = {float(now):.6g} {error} switches branches just where it happens"
            )

    def _through(
        self, segment: P, now: Any, z: Array, tangents: Array, fired: str
    ) -> tuple[P, Array, Array] | str:
        whole = self.whole
        before = Instant(z, tangents, segment.rates(now, z, self.p))
        names, slopes = self._together(fired, now, z, before.rate), {}
        for name in names:
            effect = whole.effects[name].crossing(now, z, self.p)
            if saltation.transversality(effect, before.rate) < GRAZING:
                return "grazing"
            away, blur = self._ahead(name, now, z, before.rate)
            if name != fired and abs(away) > blur + self.blur(segment, fired, now, z):
                self.reason = self._follows(name, now)
                return "lost_event"
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
            self.slack = self.slack_of(segment, fired, now, z)
            mode = whole.reader.mode_behind(float(now), doubles, self.slack)
            following = whole.segment(mode)
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
        if self.too_soon(following, now, after.z, {*names, *happened}):
            return "lost_event"
        rate = following.rates(now, after.z, self.p)
        behind = after.tangents + np.outer(after.rate - rate, slopes[fired])
        ahead, back = (before.z, before.tangents), (after.z, behind)
        self.one_sided.note_observation(float(now), {k: slopes[k] for k in names}, ahead, back)
        jumps = " and ".join(repr(record.name) for record in records)
        verb, first = "puts" if len(records) == 1 else "put", {fired: slopes[fired]}
        what = f"{jumps} {verb} the solution"
        self.note_contact(following, now, after.z, behind, first | slopes, what)
        return following, after.z, behind

    def note_contact(
        self, segment: P, now: Any, z: Array, tangents: Array, slopes: dict[str, Array], what: str
    ) -> None:
        """Mark what a state that is put onto a threshold makes one-sided."""
        names, columns = contacts(
            self.whole.model.events, self.whole.effects, now, z, tangents,
            segment.rates(now, z, self.p), slopes, self.p, self.whole.model.parameter_scale,
        )  # fmt: skip
        self.one_sided.note_contact(float(now), names, columns, what)

    def _jumps(
        self, segment: P, now: Any, before: Instant, slopes: dict[str, Array], *,
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
                sides=lambda z: self.sides(segment, now, z),
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
            soon = abs(effect["g"]) <= abs(rate) * self.near
            if name == fired or (soon and rate != 0 and event.direction * rate >= 0):
                names.append(name)
        return names


def touched_at(name: str, when: float) -> str:
    """What a touched threshold is told as."""
    return f"at t = {when:.6g} the solution touches the threshold of {name!r}"


def undeclared(
    reader: Reader, mode: Mode, choice: int, name: str, when: float,
    points: Sequence[tuple[float, NDArray[np.float64]]],
) -> str:  # fmt: skip
    """What a switch of branches without an event is told as.

    `points` are times and states (N,) at the ends of the stretch in which it is.
    """
    if all(reader.margins(t, z, mode).blur(choice) >= 0.0 for t, z in points):
        if abs(points[-1][0] - points[0][0]) < SHORT * reader.model.t_end:
            return (
                f"{reader.where}: the primitive {name!r} may switch branches twice about "
                f"t = {when:.12g}, where two thresholds are too close to each other to tell what "
                "it takes between them."
            )
        return (
            f"{reader.where}: what the primitive {name!r} compares is equal along the solution "
            f"about t = {when:.12g}, so that rounding decides which branch is taken, and the "
            "derivatives of the two may differ. Write down the branch that is meant."
        )
    return (
        f"{reader.where}: the primitive {name!r} switches branches at t = {when:.12g}, where none "
        f"of the declared events ({first_few(reader.model.events, quoted=False)}) happens. Declare "
        "an event that is zero there, with the direction of that crossing or with direction 0."
    )
