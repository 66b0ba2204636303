"""A run through events: an element ends at each, and the next one begins behind its jump.

An event is found on the polynomial of an element that passes it, and the element is solved again to
end there. The last digits of the time are found on the second polynomial, in the precision of the
solve, so that the event function is 0 to its rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.close_switches import is_at, turns_back
from gradaudit.certification.collocation import crossings
from gradaudit.certification.collocation.element import Tools
from gradaudit.certification.collocation.event_search import SMALL, SearchingRun
from gradaudit.certification.collocation.problem import Problem
from gradaudit.certification.collocation.run import Solved
from gradaudit.certification.collocation.scales import Expected
from gradaudit.certification.discrete_modes import SHORT, Mode
from gradaudit.certification.heyoka.precision import to_float64
from gradaudit.certification.passage import EVENT_COOLDOWN, undeclared
from gradaudit.certification.variational import Options, Watch
from gradaudit.errors import TranslationError

Array = NDArray[Any]
Float = NDArray[np.float64]

ASIDE = 1e-6
"""Of an element: what is so close to its start is read from its polynomial, as it is."""

SAMPLES = (0.5, 0.999)
"""Of the kept part of an element: where the signs of boundaries are compared."""

BEHIND = 1e-9
"""Of the window: so far behind an event a mode is verified at the earliest."""


class HybridRun(SearchingRun):
    """A run with events; the tangents of all parameters are needed for their times."""

    def __init__(
        self, problem: Problem, times: Float, points: int, tolerance: float,
        columns: Sequence[int] | NDArray[np.int64] | None, expected: Expected | None, look: bool,
    ) -> None:  # fmt: skip
        assert problem.modes is not None
        assert columns is None or list(columns) == list(range(problem.fine.m))
        super().__init__(problem, times, points, tolerance, columns, expected, look)
        self.by_mode: dict[Mode, Tools] = {self.part.mode: self.tools}
        self.row_modes: list[Mode] = [self.part.mode] * len(times)
        self.found: str | None = None
        self.ended = "sliding" if problem.modes.slides else ""
        self.sides: Float = np.zeros(0)
        self.probes: list[tuple[float, Float, Mode]] = []
        self.probed = self.verified = False
        self.stood: Float | None = None  # signs of the boundaries
        self.entered: tuple[float, Float] = (0.0, to_float64(self.y))

    @property
    def extra(self) -> dict[str, Any]:
        passage = self.passage
        return {
            "event_records": tuple(passage.event_records),
            "one_sided": passage.one_sided.marked,
            "one_sided_causes": tuple(passage.one_sided.causes),
            "row_modes": tuple(self.row_modes),
            "probes": tuple(self.probes),
        }

    def reason(self, status: str) -> str:
        return super().reason(status) or self.passage.reason

    def march(self, watch: Watch, options: Options) -> str:
        if self.ended:
            return self.ended
        z, tangents = self._objects()
        what = "the initial state puts the solution"
        self.passage.note_contact(self.part, self.t, z, tangents, {}, what)
        if self.passage.too_soon(self.part, self.t, z):
            return "lost_event"
        self.sides = self.passage.sides(self.part, self.t, z)
        status = super().march(watch, options)
        if status == "ok" and self.row < len(self.times):
            return "lost_event"
        return status

    def _objects(self) -> tuple[Array, Array]:
        """State and tangents as the code of events takes them."""
        z = np.array(list(self.y), dtype=object)
        tangents: Array = np.empty(self.slopes.shape, dtype=object)
        for row, slopes in zip(tangents, self.slopes, strict=True):
            row[:] = list(slopes)
        return z, tangents

    def _element(self, length: Any, stop: Any) -> float:
        factor, solved = self._attempt(length)
        if solved is None:
            return factor
        coefficients = self._expanded(solved)
        if coefficients is None:
            return -0.5
        first = self._first(solved, coefficients)
        end = 1.0 if first is None else first.share
        touch = self._touched(solved, coefficients, end)
        if touch is not None:
            end = float((touch - self.t) / solved.length)
            self._keep(solved, touch, coefficients, end, whole=False)
            self.ended = "grazing"
            return factor
        if first is None:
            self._keep(solved, stop, coefficients, end)
            return factor
        share = first.share
        if share > ASIDE:
            shorter, ending = self._attempt(self._number(share) * length)
            if ending is None:
                return shorter * share
            solved, share = ending, 1.0
        when = self._located(solved, share, first.name)
        if when is None:
            self.ended = "lost_event"
            return factor
        self.found = first.name
        self._keep(solved, when, coefficients, end, whole=share == 1.0)
        return factor

    def _keep(
        self, solved: Solved, stop: Any, coefficients: Float, end: float, *, whole: bool = True
    ) -> None:
        """Keep an element up to a time, and the observations until then.

        Parameters
        ----------
        coefficients, end
            Of the functions along the element that was expanded, and its share that is kept.
        whole
            Whether the element ends there.
        """
        self._check_boundaries(solved, coefficients, end, stop)
        self._verify(solved, stop)
        self._probe(solved, float((stop - self.t) / solved.length))
        met = end < 1.0 or not whole
        before, row = stop - self._number(self._blur(solved, stop)) if met else stop, self.row
        self._observe(solved, before)
        self.row_modes[row : self.row] = [self.part.mode] * (self.row - row)
        if whole:
            self._accept(solved)
        if not met:
            values, rates = crossings.at_end(coefficients[:, : len(self.model.events)])
            cooldown = EVENT_COOLDOWN * self.model.t_end / float(solved.length)
            close = np.abs(values) <= 10.0 * cooldown * np.abs(rates)
            here = np.where(close, 0.0, np.sign(values))
            if self.passage.lost(self.sides, here):
                self.ended = "lost_event"
            self.sides = np.where(here != 0.0, here, self.sides)
        shares: Array = np.empty(1, dtype=self.problem.precision.fp_type)
        shares[0] = (stop - self.t) / solved.length
        states, slopes = self._at(solved, shares)
        if met:
            self.y, self.slopes = states[0], self.slopes if slopes is None else slopes[0]
        else:
            self.y = self.y + solved.increments[-1]
            self.slopes = self.slopes if solved.gains is None else self.slopes + solved.gains[-1]
        self.t, self.last = stop, (solved.increments, solved.length)

    def _verify(self, solved: Solved, stop: Any) -> None:
        """Refuse a mode that is not seen within the first element of it.

        Two changes of it may be so close to its start that no sign of a boundary shows them.
        """
        short = float(stop - self.began) < SHORT * self.model.t_end
        if self.verified or (short and self.found is None):
            return
        self.verified = True
        length = np.inf if self.found is None else float(stop - self.began)
        end = float((stop - self.t) / solved.length)
        t, *z = self._points(solved, np.array([0.5 * end]))[: 1 + len(self.y), 0]
        self.modes.reader.verify(float(t), np.array(z), self.part.mode, length)

    def _probe(self, solved: Solved, end: float) -> None:
        """Keep a point of a stretch in one mode, where the mode that was chosen will be verified.

        A boundary that is left at a speed of 0 has neither a side where it begins nor a crossing.
        """
        if self.probed:
            return
        t, *z = self._points(solved, np.array([0.5 * end]))[: 1 + len(self.y), 0]
        if t - float(self.began) > BEHIND * self.model.t_end:
            self.probes.append((t, np.array(z), self.part.mode))
            self.probed = True

    def _check_boundaries(self, solved: Solved, coefficients: Float, end: float, stop: Any) -> None:
        """Refuse a switch that is neither where its mode begins nor at the event that ends it."""
        count, signals, begin = len(self.model.events), self.part.signals, float(self.t)
        moments = [(*self.entered, self.passage.slack)]
        # rounding must not lose what is where one element ends and the next one begins
        first = 0.0 if self.t == self.began else -crossings.BESIDE
        last = end if end < 1.0 else 1.0 + crossings.BESIDE
        span = (float(stop) - begin) / end  # of the element that was expanded
        flipped = self._flipped(coefficients[:, count:], end)
        for index in np.flatnonzero(flipped | ~crossings.away(coefficients[:, count:])):
            own = coefficients[:, count + index]
            turned = []
            if not self._is_event(own, coefficients[:, :count]):
                turned = self._turning_back(solved, int(index), own, last, span)
            changes = [x for x in crossings.zeros(own) if crossings.turns(own, x)] + turned
            changes = [x for x in changes if first <= x <= last]
            if flipped[index] and not changes:
                changes = [crossings.smallest(own, end)]
            for share in changes:
                if self.found is not None and len(moments) == 1:
                    moments.append(self._moment(solved, stop, self.found))
                when = begin + share * span
                choice, mode = signals.choices[index], self.part.mode
                if not any(
                    is_at(at, when, span)
                    if share in turned
                    else self.modes.reader.changes_at(at, mode, choice, when)
                    for at in moments
                ):
                    ends = [
                        (float(t), to_float64(self._exactly_at(solved, t))) for t in (self.t, stop)
                    ]
                    name, reader = signals.boundaries[index], self.modes.reader
                    raise TranslationError(undeclared(reader, mode, choice, name, when, ends))

    def _flipped(self, coefficients: Float, end: float) -> NDArray[np.bool_]:
        """Which boundaries (B,) have another sign than before, of those that do not begin at zero.

        Where a boundary is flat, rounding hides its zero.
        """
        flipped = np.zeros(coefficients.shape[1], dtype=bool)
        for share in SAMPLES:
            signs = np.sign(crossings.values(coefficients, share * end))
            stood = signs if self.stood is None else self.stood
            flipped |= signs * stood < 0.0
            self.stood = np.where(signs == 0.0, stood, signs)
        return flipped

    def _is_event(self, own: Float, events: Float) -> bool:
        """Whether a boundary is the function of an event, whose extrema are looked at as such."""
        return any(
            event.direction == 0 and (np.array_equal(own, other) or np.array_equal(own, -other))
            for event, other in zip(self.model.events.values(), events.T, strict=True)
        )

    def _turning_back(
        self, solved: Solved, index: int, own: Float, last: float, span: float
    ) -> list[float]:
        """Extrema of a boundary at which its choice changes there and back.

        `span` is the length of the element that was expanded, of which `solved` may be the part
        before an event, and `last` the share of it that is looked at.
        """
        choice, length = self.part.signals.choices[index], float(solved.length)

        def state(t: float) -> Float:
            share = (t - float(self.t)) / length
            return self._points(solved, np.array([share]))[1 : 1 + len(self.y), 0]

        def values(shares: Float) -> Float:
            signals = self.part.signals.values(self._points(solved, shares))
            return signals[len(self.model.events) + index]

        return [
            share * length / span
            for rough in crossings.extrema(own, crossings.TURN)
            if rough <= last + crossings.TURN
            and abs(crossings.value(own, rough)) <= SMALL * np.abs(own).sum()
            for share in crossings.refined(values, rough * span / length)
            if turns_back(
                self.modes.reader, self.part.mode, choice, state,
                float(self.t) + share * length, length,
            )
        ]  # fmt: skip

    def _moment(self, solved: Solved, when: Any, fired: str) -> tuple[float, Float, float]:
        """An event: its time, the state before it, and how wrong the time may be."""
        state = self._exactly_at(solved, when)
        z = np.array(list(state), dtype=object)
        slack = self.passage.slack_of(self.part, fired, when, z)
        return float(when), to_float64(state), slack

    def _blur(self, solved: Solved, when: Any) -> float:
        """By how much rounding may move the moment that ends an element."""
        if self.found is None:
            return self.passage.near
        z = np.array(list(self._exactly_at(solved, when)), dtype=object)
        return self.passage.blur(self.part, self.found, when, z)

    def _exactly_at(self, solved: Solved, when: Any) -> Array:
        shares: Array = np.empty(1, dtype=self.problem.precision.fp_type)
        shares[0] = (when - self.t) / solved.length
        return self._at(solved, shares)[0][0]

    def _turn(self) -> bool | str:
        if self.ended:
            return self.ended
        last, near = float(self.times[-1]), self.passage.near
        z, tangents = self._objects()
        if self.found is None and self.t >= last and float(self.t - self.began) > near:
            self.found = self.passage.due(self.part, self.t, z)
        if self.found is None:
            return False
        fired, self.found = self.found, None
        if self.passage.backwards(self.sides, self.part, fired, self.t, z):
            return "lost_event"
        blur = self.passage.blur(self.part, fired, self.t, z)
        outcome = self.passage.through(self.part, self.t, z, tangents, fired)
        if isinstance(outcome, str):
            return outcome
        self.part, z, tangents = outcome
        self.y[:], self.slopes = list(z), self._slopes_of(tangents)
        self._enter()
        # an observation at the time of an event, to rounding, is made behind it
        self.row = self.passage.first_behind(self.t, blur)
        return self._finish() if float(self.t) >= last - near else True

    def _slopes_of(self, tangents: Array) -> Array:
        slopes = np.empty_like(self.slopes)
        for row, own in zip(slopes, tangents, strict=True):
            row[:] = list(own)
        return slopes

    def _enter(self) -> None:
        """Go on with the equations of another part."""
        rough, fine, witness = self.part.fields
        if self.part.mode not in self.by_mode:
            own = replace(self.tools, rough=rough, fine=fine, witness=witness)
            self.by_mode[self.part.mode] = own
        self.tools = self.by_mode[self.part.mode]
        if self.look is not None:
            self.look.tools = self.tools
        self.scales = self.scales.with_states(np.abs(to_float64(self.y)))
        self.scales = self.scales.with_sensitivities(np.abs(to_float64(self.slopes)))
        self.began, self.last, self.stood = self.t, None, None
        self.probed = self.verified = False
        self.entered = float(self.t), to_float64(self.y)
        self.sides = self.passage.sides(self.part, self.t, self._objects()[0])

    def _finish(self) -> str:
        """Observe behind an event at the end of the window."""
        self.row_modes[self.row :] = [self.part.mode] * (len(self.times) - self.row)
        while self.row < len(self.times):
            aside = self._number(self.times[self.row]) - self.t
            if not aside:
                self.values[self.row], self.derivatives[self.row] = self.y, self.slopes
                self.row += 1
                continue
            _, solved = self._attempt(self._number(EVENT_COOLDOWN * self.model.t_end))
            if solved is None:
                return "step_underflow"
            self._observe(solved, self.t + solved.length)
        return self.seen
