"""The ladder of collocation: solves of different orders, elements and precisions, and digits.

First the states alone, roughly, for the sizes of what begins at 0; then everything in double and in
long double precision, whose disagreement is the error of the former. Where that certifies too few
digits, a second solve in long double of another order certifies the first, with the measured
rounding of double as a second witness. What is left, such as a column that is 0 but for rounding,
is solved twice in quad precision, for the parameters concerned alone, and twice more with tighter
tolerances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import certificate
from gradaudit.certification.certificate import Bounds
from gradaudit.certification.climb import Climb
from gradaudit.certification.collocation.march import march
from gradaudit.certification.collocation.problem import Compiler
from gradaudit.certification.collocation.scales import Expected
from gradaudit.certification.collocation.translation_check import mistranslated
from gradaudit.certification.heyoka.precision import (
    DOUBLE,
    LONG_DOUBLE,
    QUAD,
    Precision,
    available,
    to_float64,
    to_quad,
)
from gradaudit.certification.time_needed import needed, rounded
from gradaudit.certification.variational import MAX_STEPS, Options, Solution

Rung = tuple[Precision, int, float]
"""Precision, points of an element, tolerance."""

Columns = Sequence[int] | NDArray[np.int64] | None

SCOUT: Rung = (DOUBLE, 8, 1e-5)
COARSE: Rung = (DOUBLE, 11, 1e-13)
FINE: Rung = (LONG_DOUBLE, 16, 5e-16)
OTHER: Rung = (LONG_DOUBLE, 13, 5e-15)
HIGHER: tuple[tuple[Rung, Rung], ...] = (
    ((QUAD, 18, 1e-19), (QUAD, 15, 1e-18)),
    ((QUAD, 25, 1e-26), (QUAD, 21, 1e-25)),
)
"""The second of a pair has ten times the tolerance: errors of one sign, such as those of a decay,
must not hide in the difference.
"""

MOST_ELEMENTS = 2000
"""Of the first solve, which must stay cheap."""

CAUTION, QUAD_CAUTION = 4.0, 8.0
"""How many times the scaled rounding of the coarser precision counts.

Where a formula cancels, the rounding of one precision may be small by luck, and that of another
alike in all its solves. In quad precision there are digits to spare for more caution.
"""

BESIDE = 1e-9
"""Of the window: so close to an event JAX may be on its other side."""

LEFT = 0.02
"""Of the tolerance and the natural size: so much error an element may leave."""

MOMENTS = ("grazing", "simultaneous_events", "sliding", "lost_event", "max_events")
"""Statuses of a solve that ends at a moment without a derivative: until then it is certified."""

QUAD_COST = 4.0
"""At least so many times as long as in long double a solve with all columns takes, up to 25."""


class Collocation:
    """The solves of a climb by collocation."""

    def __init__(self, climb: Climb) -> None:
        self.climb = climb
        self.compiler = Compiler(climb.model)
        self.expected: Expected | None = None
        self.scouted: Solution | None = None
        self.done: dict[Rung, Solution] = {}

    def once(self, rung: Rung, *, look: bool = False) -> Solution:
        """A solve of all columns, or the one that was made before."""
        if rung not in self.done:
            solution = self.solve(rung, look=look)
            if solution.status != "ok":
                return solution
            self.done[rung] = solution
        return self.done[rung]

    def solve(
        self,
        rung: Rung,
        *,
        columns: Columns = None,
        keep_grid: bool = False,
        look: bool = False,
    ) -> Solution:
        """One solve, noted as a rung.

        Raises
        ------
        TranslationError
            If the vector field has something that has no series.
        """
        climb, (precision, points, tolerance) = self.climb, rung
        scouting = columns is not None and not len(columns)
        problem = self.compiler.problem(precision, noise=not scouting)
        if problem.modes is not None:  # the times of events depend on all parameters
            columns = None
        options = Options(
            keep_grid=keep_grid,
            time_limit=max(climb.left, 0.0),
            max_steps=MOST_ELEMENTS if scouting else MAX_STEPS,
            progress=climb.progress,
        )
        solution = march(
            problem,
            climb.grid.times,
            options,
            points=points,
            tolerance=tolerance,
            columns=columns,
            expected=self.expected,
            look=look,
        )
        of = "" if columns is None else f", {len(columns)} of {climb.model.m} parameters"
        climb.note(solution, method=f"collocation, {points} points{of}")
        return solution

    def scout(self) -> Solution:
        """The states alone, roughly: sizes, and places for companions."""
        solution = self.solve(SCOUT, columns=(), keep_grid=True)
        if solution.status == "ok":
            self._learn(solution)
        return solution

    def _learn(self, solution: Solution) -> None:
        """Expect the sizes that a solve of all columns, or of none, has found on its way."""
        assert solution.sizes is not None
        largest, entries = solution.sizes
        if not entries.shape[1]:
            self.expected = Expected(largest)
            return
        values, derivatives = solution.float64()
        observed = certificate.state_scale(values, derivatives, self.climb.model.parameter_scale)
        states = np.maximum(observed, largest)
        positive = np.where(states > 0.0, states, 1.0)
        columns = (entries / positive[:, None]).max(axis=0, initial=0.0)
        self.expected = Expected(states, columns)

    def climb_to(self, digits: float, scout: Solution | None = None) -> str:
        """Run rungs until so many digits are certified; "ok", or why not."""
        climb = self.climb
        scout = self.scouted = scout or self.scout()
        if scout.status not in ("ok", *MOMENTS):
            climb.accept(scout, None)
            return self._why(scout)
        climb.grid = certificate.companion_grid(
            climb.times, scout.step_starts, scout.step_sizes / SCOUT[1], t_end=climb.model.t_end
        )
        coarse = self.once(COARSE)
        climb.accept(coarse, None)
        if coarse.status not in ("ok", *MOMENTS):
            return self._why(coarse)
        if not available(LONG_DOUBLE):
            return "this machine has no long double precision"
        if coarse.status == "ok":
            self._learn(coarse)
        fine = self.once(FINE, look=True)
        if fine.status != "ok":
            return self._until(fine, coarse)
        difference = self._mistranslated(fine)
        if difference is not None:
            climb.accept(fine, None)
            return difference
        held = climb.accept(
            fine, self._floored(certificate.between(coarse, fine, climb.grid), fine)
        )
        if held >= digits:
            return "ok"
        other = self.once(OTHER)
        if other.status != "ok":
            return self._why(other)
        bounds = certificate.apart(other, fine, coarse, climb.grid, caution=CAUTION)
        held = climb.accept(fine, self._floored(bounds, fine))
        return "ok" if held >= digits else self._higher(fine, other, digits)

    def _why(self, solution: Solution) -> str:
        reached = to_float64(solution.values)[:, 0]
        last = solution.times[np.isfinite(reached)]
        what = f"{solution.status} after t = {last[-1] if len(last) else 0.0:g}"
        if solution.status == "jumped_over":
            what = solution.reason
        elif more := solution.reason or needed(solution, self.climb.model.t_end, self.scouted):
            what = f"{what}, {more}"
        return f"{what} (collocation in {solution.precision.name} precision)"

    def _floored(self, bounds: Bounds, fine: Solution) -> Bounds:
        """Bounds that no accident makes smaller than what a solve leaves by its tolerance.

        Two solves may agree better than either of them is right, even at three times in a row.
        """
        values, derivatives = fine.float64()
        scale = certificate.state_scale(values, derivatives, self.climb.model.parameter_scale)
        with np.errstate(invalid="ignore"):
            shares = np.abs(np.nan_to_num(derivatives)) / scale[:, None]
        left, n = LEFT * fine.tolerance, self.climb.model.n
        natural = np.empty(derivatives.shape[1:])
        for part in (slice(0, n), slice(n, None)):  # as digits are counted
            natural[part] = scale[part, None] * shares[:, part].max(axis=(0, 1), initial=0.0)
        return Bounds(
            np.maximum(bounds.values, left * scale), np.maximum(bounds.derivatives, left * natural)
        )

    def _until(self, fine: Solution, coarse: Solution) -> str:
        """Keep what holds of a solve that ended early; why it did."""
        difference = self._mistranslated(fine)
        if difference is not None:
            self.climb.accept(fine, None)
            return difference
        why = self._why(fine)
        bounds = self._floored(certificate.between(coarse, fine, self.climb.grid), fine)
        if fine.status == "time_limit" and coarse.status == "ok":
            # what was not reached for want of time is in the coarse solve, without a certificate
            fine = replace(certificate.completed(fine, coarse), status=fine.status)
        if fine.status not in ("jumped_over", "step_underflow"):
            self.climb.accept(fine, bounds)
        return why

    def _mistranslated(self, fine: Solution) -> str | None:
        """When and why JAX has another vector field than a solve, None where it has not."""
        model, compiler = self.climb.model, self.compiler
        breaks = () if compiler.parts is None else compiler.parts.breaks
        times = np.concatenate([fine.times, [t for t, _, _ in fine.probes]])
        modes = [*(fine.row_modes or ((),) * len(fine.times)), *(m for _, _, m in fine.probes)]
        values, _ = fine.float64()
        values = np.concatenate([values, *(z[None] for _, z, _ in fine.probes)])
        own = np.isfinite(values).all(axis=1)
        own &= ~np.isin(times, breaks)  # a switch belongs to either side
        for event in fine.event_records:
            own &= np.abs(times - float(event.time)) > BESIDE * model.t_end
        for mode in dict.fromkeys(modes):
            rows = own & np.array([mode == other for other in modes])
            if rows.any():
                better, rough = (compiler.field(of, mode) for of in (fine.precision, DOUBLE))
                found = mistranslated(model, better, rough, times[rows], values[rows])
                if found is not None:
                    return found
        return None

    def _higher(self, fine: Solution, other: Solution, digits: float) -> str:
        """Two solves in quad precision, for the parameters that have too few digits."""
        climb = self.climb
        if not available(QUAD):
            return "the top of the ladder is reached"
        every = np.arange(climb.model.m)
        columns = every if self.compiler.hybrid else climb.short_of(digits)
        if climb.lacks is not None and not self.compiler.hybrid:
            wanted = np.intersect1d(columns, np.flatnonzero(climb.lacks))
            columns = wanted if len(wanted) else columns[:1]
        share = (1 + len(columns)) / (1 + climb.model.m)
        expected, best = 2.0 * QUAD_COST * share * other.run_seconds, fine
        assert climb.bounds is not None
        outside = climb.bounds.derivatives
        for rungs in HIGHER:
            if expected > climb.left:
                seconds = rounded(expected)
                return f"quad precision would take longer than the time limit, about {seconds} s"
            pair = []
            for rung in rungs:
                pair.append(self.solve(rung, columns=columns))
                if pair[-1].status != "ok":
                    return self._why(pair[-1])
            bounds = certificate.apart(pair[1], pair[0], fine, climb.grid, caution=QUAD_CAUTION)
            bounds = self._floored(bounds, pair[0])
            merged = outside.copy()
            merged[..., columns] = bounds.derivatives[..., columns]
            best = _with_columns(fine, pair[0], columns)
            held = climb.accept(best, Bounds(bounds.values, merged))
            if held >= digits:
                return "ok"
            expected = 2.0 * sum(solve.run_seconds for solve in pair)
        return "the top of the ladder is reached"


def _with_columns(fine: Solution, higher: Solution, columns: NDArray[np.int64]) -> Solution:
    """A solve with states and some columns of another one, in the precision of that."""
    merged = to_quad(fine.derivatives, fine.precision)
    merged[..., columns] = higher.derivatives[..., columns]
    return replace(fine, values=higher.values, derivatives=merged, precision=higher.precision)
