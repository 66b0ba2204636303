"""The ladder of collocation: solves of different orders, elements and precisions, and digits.

First the states alone, roughly, for the sizes of what begins at 0; then everything in double and in
long double precision, whose disagreement is the error of the former. Where that certifies too few
digits, a second solve in long double of another order certifies the first, with the measured
rounding of double as a second witness. What is left, such as a column that is 0 but for rounding,
is solved twice in quad precision, for the parameters concerned alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

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
)
from gradaudit.certification.variational import MAX_STEPS, Options, Solution

Rung = tuple[Precision, int, float]
"""Precision, points of an element, tolerance."""

Columns = Sequence[int] | NDArray[np.int64] | None

SCOUT: Rung = (DOUBLE, 8, 1e-5)
COARSE: Rung = (DOUBLE, 11, 1e-13)
FINE: Rung = (LONG_DOUBLE, 16, 5e-16)
OTHER: Rung = (LONG_DOUBLE, 13, 5e-15)
HIGHER: tuple[Rung, Rung] = ((QUAD, 18, 1e-19), (QUAD, 15, 1e-18))
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

QUAD_COST = 4.0
"""At least so many times as long as in long double a solve with all columns takes, up to 25."""


class Collocation:
    """The solves of a climb by collocation; its model has neither events nor switches."""

    def __init__(self, climb: Climb, compiler: Compiler | None = None) -> None:
        self.climb = climb
        self.compiler = compiler or Compiler(climb.model)
        self.expected: Expected | None = None

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
        scout = scout or self.scout()
        if scout.status != "ok":
            climb.accept(scout, None)
            return _why(scout)
        climb.grid = certificate.companion_grid(
            climb.times, scout.step_starts, scout.step_sizes / SCOUT[1], t_end=climb.model.t_end
        )
        coarse = self.solve(COARSE)
        climb.accept(coarse, None)
        if coarse.status != "ok":
            return _why(coarse)
        if not available(LONG_DOUBLE):
            return "this machine has no long double precision"
        self._learn(coarse)
        fine = self.solve(FINE, look=True)
        if fine.status != "ok":
            return _why(fine)
        compiled, rough = self.compiler.field(fine.precision), self.compiler.field(DOUBLE)
        breaks = () if self.compiler.parts is None else self.compiler.parts.breaks
        own = ~np.isin(climb.grid.times, breaks)  # a switch belongs to either side
        at = mistranslated(climb.model, compiled, rough, climb.grid.times[own], fine.values[own])
        if at is not None:
            climb.accept(fine, None)
            return (
                f"at t = {at:g} the vector field is another one for JAX than for its translation, "
                "as where arctan2 jumps (declare an event there)"
            )
        held = climb.accept(fine, certificate.between(coarse, fine, climb.grid))
        if held >= digits:
            return "ok"
        other = self.solve(OTHER)
        if other.status != "ok":
            return _why(other)
        held = climb.accept(
            fine, certificate.apart(other, fine, coarse, climb.grid, caution=CAUTION)
        )
        return "ok" if held >= digits else self._higher(fine, other, digits)

    def _higher(self, fine: Solution, other: Solution, digits: float) -> str:
        """Two solves in quad precision, for the parameters that have too few digits."""
        climb = self.climb
        if not available(QUAD):
            return "the top of the ladder is reached"
        columns = climb.short_of(digits)
        share = (1 + len(columns)) / (1 + climb.model.m)
        expected = 2.0 * QUAD_COST * share * other.run_seconds
        if expected > climb.left:
            return "quad precision would take longer than the time limit"
        pair = []
        for rung in HIGHER:
            pair.append(self.solve(rung, columns=columns))
            if pair[-1].status != "ok":
                return _why(pair[-1])
        bounds = certificate.apart(pair[1], pair[0], fine, climb.grid, caution=QUAD_CAUTION)
        assert climb.bounds is not None
        merged = climb.bounds.derivatives.copy()
        merged[..., columns] = bounds.derivatives[..., columns]
        best = _with_columns(fine, pair[0], columns)
        held = climb.accept(best, Bounds(bounds.values, merged))
        return "ok" if held >= digits else "the top of the ladder is reached"


def _with_columns(fine: Solution, higher: Solution, columns: NDArray[np.int64]) -> Solution:
    """A solve with states and some columns of another one, all rounded to float64."""
    values, derivatives = higher.float64()
    merged: NDArray[Any] = to_float64(fine.derivatives).copy()
    merged[..., columns] = derivatives[..., columns]
    return replace(fine, values=values, derivatives=merged)


def _why(solution: Solution) -> str:
    reached = to_float64(solution.values)[:, 0]
    last = solution.times[np.isfinite(reached)]
    what = solution.reason or (f"{solution.status} after t = {last[-1] if len(last) else 0.0:g}")
    return f"{what} (collocation in {solution.precision.name} precision)"
