"""From element to element: lengths by the decay of Legendre coefficients, and observations.

An element is accepted where the last two Legendre coefficients of every state, integral and
sensitivity are small, each in relation to its scale so far (`Scales`). What is at the rounding
level of its component says nothing about the length and is left out.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

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
from gradaudit.certification.variational import Options, Solution, Watch

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


def march(
    problem: Problem,
    times: NDArray[np.float64],
    options: Options,
    *,
    points: int,
    tolerance: float,
    columns: Sequence[int] | NDArray[np.int64] | None = None,
    expected: Expected | None = None,
    look: bool = False,
) -> Solution:
    """Solve on `times`, increasing and within [0, t_end]; a failure is a status.

    Parameters
    ----------
    points
        Collocation points of an element; its order is ``2 points - 1``.
    tolerance
        Of the last Legendre coefficients, in relation to the scales.
    columns
        With respect to which parameters sensitivities are computed, by default all; the
        derivatives with respect to the others are NaN.
    expected
        Sizes from an earlier solve, by which is judged what begins at 0.
    look
        Whether the elements see all of the vector field; "jumped_over" where they do not.
    """
    started = time.perf_counter()
    precision = problem.precision
    run = _Run(problem, times, points, tolerance, columns, expected, look)
    watch = options.watch(problem.model.t_end, precision, tolerance)
    # an element that fails is made shorter
    with np.errstate(all="ignore"), _blas().limit(limits=1, user_api="blas"):
        status = run.march(watch, options)
    return Solution(
        times=times,
        values=run.values,
        derivatives=run.derivatives,
        status=status,
        steps=watch.steps,
        run_seconds=time.perf_counter() - started,
        build_seconds=problem.build_seconds,
        precision=precision,
        tolerance=tolerance,
        step_starts=np.array(watch.starts),
        step_sizes=np.array(watch.sizes),
        reason=run.reason(status),
        sizes=(run.scales.largest, run.scales.entries),
    )


@cache
def _blas() -> ThreadpoolController:
    """Matrices of elements are small: threads would wait for each other most of the time."""
    return ThreadpoolController()


class _Run:
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
        self.row, self.look = 0, Look(self.tools, model.t_end) if look else None
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
                if not watch.note(float(stop), float(length)):
                    return watch.status
                if final and len(stops) > 1:
                    stops.pop(0)
                    self.last = None  # its polynomial ends at the switch
                elif final:
                    return "ok" if self.look is None or self.look.missed is None else "jumped_over"
                continue
            failures += 1
            if failures > MOST_FAILURES or h < SMALLEST_LENGTH * float(self.t):
                return "step_underflow"
            if watch.late:
                return "time_limit"

    def reason(self, status: str) -> str:
        if status == "jumped_over" and self.look is not None and self.look.missed is not None:
            return f"about t = {self.look.missed:g} the vector field has a kink, a jump or a pulse"
        return ""

    def _element(self, length: Any, stop: Any) -> float:
        """Try one; the factor of the next length, negative where it is rejected."""
        guess = self._guess(length)
        solved = solve_states(self.tools, self.t, length, self.y, guess, self.scales)
        if solved is None and self.last is not None:
            solved = solve_states(self.tools, self.t, length, self.y, self.zero, self.scales)
        if solved is None:
            return -SHRINK_FAILED
        scales = self.scales.with_states(np.abs(to_float64(self.y + solved.values)).max(axis=0))
        wrong = scales.share_of_states(self._tail(solved.values), NOISE * solved.noise)
        factor = self._factor(wrong)
        if wrong > self.tolerance:
            return -min(factor, MARGIN)
        increments, noise = None, np.zeros((0, 0))
        if len(self.columns):
            found = solve_sensitivities(self.tools, length, self.slopes, solved, scales)
            if found is None:
                return -SHRINK_FAILED
            increments, noise = found
            entries = np.abs(to_float64(self.slopes + increments)).max(axis=0)
            scales = scales.with_sensitivities(entries)
            wrong = scales.share_of_sensitivities(self._tail(increments), NOISE * noise)
            factor = min(factor, self._factor(wrong))
            if wrong > self.tolerance:
                return -min(factor, MARGIN)
        self._observe(length, stop, solved.values, increments)
        if self.look is not None:
            here = self.t, length, self.y, solved.values, self.slopes, increments, noise
            self.look.look(Element(*here), scales)
        self.scales = scales
        self.y = self.y + solved.values[-1]
        if increments is not None:
            self.slopes = self.slopes + increments[-1]
        self.t, self.last = stop, (solved.values, length)
        return factor

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

    def _observe(self, length: Any, stop: Any, values: Array, increments: Array | None) -> None:
        """Fill the rows of the observation times within the element, from its polynomial."""
        ahead = self.times[self.row :]
        count = int(np.searchsorted(ahead, float(stop), side="right"))
        if count and ahead[count - 1] > stop:  # which rounding to float64 has moved
            count -= 1
        if not count:
            return
        rows = slice(self.row, self.row + count)
        shares = (self.problem.precision.array(self.times[rows]) - self.t) / length
        weights = self.tools.method.weights_at(shares)
        self.values[rows] = self.y + product(weights, values)
        if increments is not None:
            found = self.slopes + along_points(weights, increments)
            self.derivatives[rows, :, self.columns] = found
        self.row += count

    def _observe_start(self) -> None:
        if self.times[0] == 0.0:
            self.values[0], self.derivatives[0, :, self.columns] = self.y, self.slopes.T
            self.row = 1

    def _first_length(self, last: float) -> float:
        """By the spectrum of the Jacobian at the start."""
        n, rough = self.tools.fine.n, self.tools.rough
        start = np.concatenate([[0.0], to_float64(self.y[:n]), to_float64(self.tools.parameters)])[
            :, None
        ]
        jacobian = rough.dense(rough.slopes(start))[0][0, :n]
        if not np.isfinite(jacobian).all():
            return 1e-6 * last
        fastest = np.abs(np.linalg.eigvals(jacobian)).max(initial=0.0)
        return min(0.02 * last, 2.0 / fastest if fastest > 0.0 else np.inf)
