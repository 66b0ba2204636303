"""From element to element: lengths by the decay of Legendre coefficients, and observations.

An element is accepted where the last two Legendre coefficients of every state, integral and
sensitivity are small, each in relation to its scale so far (`Scales`). What is at the rounding
level of its component says nothing about the length and is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification.collocation.element import (
    Tools,
    solve_sensitivities,
    solve_states,
)
from gradaudit.certification.collocation.look import Element, Look
from gradaudit.certification.collocation.problem import Problem
from gradaudit.certification.collocation.products import along_points, product
from gradaudit.certification.collocation.radau import radau
from gradaudit.certification.collocation.scales import Expected, Scales
from gradaudit.certification.heyoka.precision import to_float64
from gradaudit.certification.variational import Options, Watch

Array = NDArray[Any]

LONGEST_GROWTH, LEAST_SHRINKAGE, SHRINK_FAILED = 4.0, 0.1, 0.25
MARGIN = 0.9
NOISE = 30.0
"""A coefficient may be so many times the measured noise by rounding.

The measure is one sample; coefficients of many entries are sums over many points.
"""

MOST_FAILURES = 60  # in a row
SMALLEST_LENGTH = 1e-16  # of the time reached

EXTRAPOLATED = 1.5
"""An element that is at most so much longer than the one before starts from its polynomial."""


class Solved(NamedTuple):
    """An element that was solved.

    Attributes
    ----------
    increments, gains
        Of states and integrals (s, N), and of sensitivities (s, N, c); None without any.
    noise
        Rounding level of the latter, (N, c).
    scales
        The largest sizes, with its own.
    """

    length: Any
    increments: Array
    gains: Array | None
    noise: NDArray[np.float64]
    scales: Scales


class Run:
    """The state between elements, and the rows that are filled so far."""

    def __init__(
        self, problem: Problem, times: NDArray[np.float64], points: int, tolerance: float,
        columns: Sequence[int] | NDArray[np.int64] | None, expected: Expected | None, look: bool,
    ) -> None:  # fmt: skip
        self.problem, self.times, self.tolerance = problem, times, tolerance
        self.columns = np.arange(problem.fine.m) if columns is None else np.array(columns, int)
        fine, model, precision = problem.fine, problem.model, problem.precision
        self.tools = Tools(
            method=radau(points, precision),
            rough=problem.rough,
            fine=fine,
            witness=problem.witness,
            parameters=precision.array(model.nominal),
            columns=self.columns,
        )
        n, size, m = fine.n, fine.size, fine.m
        self.y, self.slopes = (
            precision.array(np.zeros(shape)) for shape in (size, (size, len(self.columns)))
        )
        self.y[:n], self.slopes[:n] = problem.values, problem.derivatives[:, self.columns]
        nan = precision.number(float("nan"))
        self.values: Array = np.full((len(times), size), nan, dtype=precision.fp_type)
        self.derivatives: Array = np.full((len(times), size, m), nan, dtype=precision.fp_type)
        self.row = 0
        self.look = Look(self.tools, model, float(times[-1])) if look else None
        self.t = precision.number(0.0)
        self.scales = Scales(
            np.abs(to_float64(self.y)),
            np.abs(to_float64(self.slopes)),
            model.parameter_scale[self.columns],
            None if expected is None else expected.only(self.columns),
        )
        self.zero = precision.array(np.zeros((points, n)))
        self.last: tuple[Array, Any] | None = None

    def march(self, watch: Watch, options: Options) -> str:
        last = float(self.times[-1])
        precision = self.problem.precision
        end = precision.number(last)
        self._observe_start()
        if last == 0.0:
            return "ok"
        h = self._first_length(last)
        if options.first_step is not None:
            h = min(h, options.first_step)
        longest = np.inf if options.max_step is None else options.max_step
        failures = 0
        stops = [precision.number(b) for b in self.problem.breaks if b < last] + [end]
        while True:
            h = min(h, longest)
            rest = stops[0] - self.t
            final = h >= float(rest) * (1 - 1e-9)
            if final:
                stop = stops[0]
            elif h > 0.5 * float(rest):  # two of equal length rather than a short one at the end
                stop = self.t + rest / 2
            else:
                stop = self.t + precision.number(h)
            length = stop - self.t
            factor = self._element(length, stop)
            h = float(length) * abs(factor)
            if factor > 0.0:
                failures = 0
                if not watch.note(float(self.t), float(length)):
                    return watch.status
                turned = self._turn()
                if isinstance(turned, str):
                    return turned
                if turned:
                    h = self._first_length(max(last - float(self.t), 0.0))
                    continue
                if final and len(stops) > 1:
                    stops.pop(0)
                    self.last = None  # its polynomial ends at the switch
                elif final:
                    return self.seen
                continue
            failures += 1
            if failures > MOST_FAILURES or h < SMALLEST_LENGTH * float(self.t):
                return "step_underflow"
            if watch.late:
                return "time_limit"

    def _turn(self) -> bool | str:
        """Whether the equations have changed at the end of an element, or a status to end with."""
        return False

    @property
    def extra(self) -> dict[str, Any]:
        """What a solution has besides."""
        return {}

    @property
    def seen(self) -> str:
        """The status of a solve that has come to its end."""
        return "ok" if self.look is None or self.look.missed is None else "jumped_over"

    def reason(self, status: str) -> str:
        if status == "jumped_over" and self.look is not None and self.look.missed is not None:
            return f"about t = {self.look.missed:g} the vector field has a kink, a jump or a pulse"
        return ""

    def _element(self, length: Any, stop: Any) -> float:
        """Try one; the factor of the next length, negative where it is rejected."""
        factor, solved = self._attempt(length)
        if solved is not None:
            self._observe(solved, stop)
            self._accept(solved)
            self.y = self.y + solved.increments[-1]
            if solved.gains is not None:
                self.slopes = self.slopes + solved.gains[-1]
            self.t, self.last = stop, (solved.increments, length)
        return factor

    def _attempt(self, length: Any) -> tuple[float, Solved | None]:
        """Solve one from where the run is; nothing with a negative factor where it is rejected."""
        guess = self._guess(length)
        solved = solve_states(self.tools, self.t, length, self.y, guess, self.scales)
        if solved is None and self.last is not None:
            solved = solve_states(self.tools, self.t, length, self.y, self.zero, self.scales)
        if solved is None:
            return -SHRINK_FAILED, None
        scales = self.scales.with_states(np.abs(to_float64(self.y + solved.values)).max(axis=0))
        wrong = scales.share_of_states(self._tail(solved.values), NOISE * solved.noise)
        factor = self._factor(wrong)
        if wrong > self.tolerance:
            return -min(factor, MARGIN), None
        gains, noise = None, np.zeros((0, 0))
        if len(self.columns):
            found = solve_sensitivities(self.tools, length, self.slopes, solved, scales)
            if found is None:
                return -SHRINK_FAILED, None
            gains, noise = found
            entries = np.abs(to_float64(self.slopes + gains)).max(axis=0)
            scales = scales.with_sensitivities(entries)
            wrong = scales.share_of_sensitivities(self._tail(gains), NOISE * noise)
            factor = min(factor, self._factor(wrong))
            if wrong > self.tolerance:
                return -min(factor, MARGIN), None
        return factor, Solved(length, solved.values, gains, noise, scales)

    def _accept(self, solved: Solved) -> None:
        """Look at an element that is kept, and keep its sizes."""
        if self.look is not None:
            own = solved.increments, self.slopes, solved.gains, solved.noise
            self.look.look(Element(self.t, solved.length, self.y, *own), solved.scales)
        self.scales = solved.scales

    def _at(self, solved: Solved, shares: Array) -> tuple[Array, Array | None]:
        """States (K, N) and sensitivities (K, N, c) at shares (K,) of an element from here."""
        weights = self.tools.method.weights_at(shares)
        states = self.y + product(weights, solved.increments)
        if solved.gains is None:
            return states, None
        return states, self.slopes + along_points(weights, solved.gains)

    def _tail(self, increments: Array) -> NDArray[np.float64]:
        """The larger of the last two Legendre coefficients, without the first axis."""
        rows = self.tools.method.legendre[-2:]
        return np.asarray(np.abs(to_float64(along_points(rows, increments))).max(axis=0))

    def _factor(self, wrong: float) -> float:
        if wrong <= 0.0:
            return LONGEST_GROWTH
        factor = MARGIN * (self.tolerance / wrong) ** (1.0 / self.tools.method.s)
        return float(np.clip(factor, LEAST_SHRINKAGE, LONGEST_GROWTH))

    def _guess(self, length: Any) -> Array:
        """Increments (s, n) of the polynomial of the last element, continued, or 0."""
        if self.last is None:
            return self.zero
        n, method = self.tools.fine.n, self.tools.method
        values, before = self.last
        if float(length / before) > EXTRAPOLATED:
            return self.zero
        weights = method.weights_at(1 + method.nodes * (length / before))
        return product(weights, values[:, :n]) - values[-1, :n]

    def _observe(self, solved: Solved, stop: Any) -> None:
        """Fill the rows of the observation times up to `stop`, from the element's polynomial."""
        ahead = self.times[self.row :]
        count = int(np.searchsorted(ahead, float(stop), side="right"))
        if count and ahead[count - 1] > stop:  # which rounding to float64 has moved
            count -= 1
        if not count:
            return
        rows = slice(self.row, self.row + count)
        shares = (self.problem.precision.array(self.times[rows]) - self.t) / solved.length
        self.values[rows], found = self._at(solved, shares)
        if found is not None:
            self.derivatives[rows, :, self.columns] = found
        self.row += count

    def _observe_start(self) -> None:
        if self.times[0] == 0.0:
            self.values[0], self.derivatives[0, :, self.columns] = self.y, self.slopes.T
            self.row = 1

    def _first_length(self, last: float) -> float:
        """By the spectrum of the Jacobian at the start."""
        n, rough = self.tools.fine.n, self.tools.rough
        here = [float(self.t)], to_float64(self.y[:n]), to_float64(self.tools.parameters)
        start = np.concatenate(here)[:, None]
        jacobian = rough.dense(rough.slopes(start))[0][0, :n]
        if not np.isfinite(jacobian).all():
            return 1e-6 * last
        fastest = np.abs(np.linalg.eigvals(jacobian)).max(initial=0.0)
        return min(0.02 * last, 2.0 / fastest if fastest > 0.0 else np.inf)
