"""The state of a climb: the solves so far, the best result with its bounds, the time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradaudit.certification import certificate
from gradaudit.certification.certificate import Bounds, Grid
from gradaudit.certification.extended import extended
from gradaudit.certification.heyoka.precision import Precision
from gradaudit.certification.heyoka.rounding import in_float64
from gradaudit.certification.hidden_pulses import unseen
from gradaudit.certification.hybrid_solve import build_system, solve_system
from gradaudit.certification.hybrid_system import Hybrid
from gradaudit.certification.singular_start import SHARES, leave
from gradaudit.certification.step_inspection import FEW, MANY, PANEL, Field, Inspector, batched
from gradaudit.certification.tangent_system import directions_of, tangent_system
from gradaudit.certification.variational import (
    PROGRESS_AFTER,
    Options,
    Progress,
    Solution,
    Variational,
)
from gradaudit.errors import first_few
from gradaudit.model.definition import Model
from gradaudit.model.one_sided import one_sided
from gradaudit.records.results import Digits, Extended, Reference

# A Taylor series is blind to what is exactly flat where it is expanded: steps are capped, and
# differently on every rung, lest two of them jump over the same feature.
CAPS = (211, 317, 293, 269, 307, 257, 331, 283, 349)
FINER = 53
"""By how much they are made finer where an inspection shows that something was jumped over.

A prime like the caps: steps of a round share of the window would begin just where a user likes to
put a switch, at 0.4 of it, and see half of it.
"""

RETRIES = (0.37, 0.61)
"""First steps, in shares of the first output time, with which a solve that is stuck is repeated.

Where a step begins next to a removable singularity, such as that of x / expm1(x) at 0, the series
is lost in rounding; another grid passes it by.
"""


COMPILING = 1.7
"""How many times as long as the last one a compilation in a higher precision takes."""

LEEWAY = 0.1
"""Of the time limit, by which it may be missed for what is foretold."""

Lacking = Callable[[Extended], NDArray[np.bool_] | None]
"""The parameters (m,) whose sensitivities a result that is not precise enough has to have better,
perhaps none, where states do; None where it is precise enough."""

Attempt = tuple[float | None, tuple[float, float] | None]
"""The first step, and the times from which to leave a start without a series, in shares."""


class TimeIsOverError(Exception):
    """The time limit came, or would come in something that cannot be interrupted."""


class JumpedOverError(Exception):
    """A step of a solve lies across something that its Taylor series does not show."""

    def __init__(self, time: float, solution: Solution) -> None:
        super().__init__(time)
        self.time, self.solution = time, solution


class Climb:
    """The solves so far, the best result with its bounds, and the time left."""

    def __init__(
        self, model: Model, times: Any, *, negligible: float, time_limit: float,
        progress: Progress | None, load_seconds: float = 0.0, lacking: Lacking | None = None,
    ) -> None:  # fmt: skip
        self.model, self.times, self.negligible = model, times, negligible
        self.progress, self.lacking = progress, lacking
        self.limit, self.started = time_limit, time.perf_counter()
        self.build_seconds, self.inspect_seconds = 0.0, load_seconds
        self.rungs: list[dict[str, Any]] = []
        self.best: Solution | None = None
        self.lacks: NDArray[np.bool_] | None = None
        self.bounds: Bounds | None = None
        self.finer, self.nodes = 1, FEW
        self.leaves: tuple[float, float] | None = None
        self.grid = Grid(times, np.stack([np.arange(len(times))] * 3))

    @cached_property
    def watched(self) -> tuple[NDArray[np.float64], Model, Field]:
        """What inspectors of Taylor steps watch: directions, the tangent system, its field."""
        directions = directions_of(self.model)
        tangents = tangent_system(self.model, directions)
        return directions, tangents, batched(tangents)

    @property
    def left(self) -> float:
        return self.limit - (time.perf_counter() - self.started)

    @property
    def held(self) -> float:
        """Certified digits of the best result, 0 where there is none."""
        return self.digits()[1] if self.best is not None else 0.0

    def build(self, precision: Precision, tolerance: float) -> Variational | Hybrid:
        if self.progress is not None and self.limit - self.left > PROGRESS_AFTER:
            self.progress(0.0, f"building {precision.name}, tolerance {tolerance:.1e}")
        # Nothing interrupts the compiler, so its time is foretold from the last one's.
        late = COMPILING * self.build_seconds > self.left + LEEWAY * self.limit
        if late and self.best is not None:
            raise TimeIsOverError(
                f"compiling in {precision.name} precision would take longer than the time limit"
            )
        system = build_system(self.model, precision=precision, tolerance=tolerance)
        self.build_seconds = system.build_seconds
        return system

    def run(
        self,
        system: Variational | Hybrid,
        *,
        first_step: float | None = None,
        keep_grid: bool = False,
    ) -> Solution:
        """Solve, again from another first step where that is stuck, and note it as a rung.

        Raises
        ------
        JumpedOverError
            If a step did not see all of the vector field.
        """
        cap = CAPS[len(self.rungs) % len(CAPS)] * self.finer
        positive = self.grid.times[self.grid.times > 0.0]
        attempts: list[Attempt] = [(first_step, None), *((share, None) for share in RETRIES)]
        if self.leaves is not None:
            attempts = [(None, self.leaves)]
        while attempts:
            fraction, leaves = attempts.pop(0)
            departure = self._departure(system, leaves)
            first = None if fraction is None or not len(positive) else fraction * positive[0]
            panel = PANEL if self.finer == 1 else 1 / cap
            inspector = Inspector(self.model, *self.watched, panel, self.nodes)
            options = Options(
                max_step=self.model.t_end / cap,
                first_step=None if departure else first,
                keep_grid=keep_grid,
                time_limit=max(self.left, 0.0),
                progress=self.progress,
                inspector=inspector,
                departure=departure,
            )
            solution = solve_system(system, self.grid.times, options)
            if solution.status not in ("step_underflow", "non_finite"):
                break
            if not attempts and solution.steps <= 1 and leaves is None:
                attempts = [(None, shares) for shares in SHARES]
        if solution.status == "ok":
            self.leaves = leaves
        if solution.status == "ok" and self.inspect_seconds > self.left + LEEWAY * self.limit:
            # what is not inspected is not certified
            solution = replace(solution, status="time_limit")
        self.note(solution, method="taylor")
        missed = None
        if solution.status == "ok":
            missed = inspector.missed()
            if missed is None:
                until = float(self.grid.times[-1])
                steps = inspector.starts, inspector.lengths
                missed = unseen(self.model, inspector.path, *steps, until)
        if solution.status == "ok":
            self.inspect_seconds = 0.0  # the field is compiled
        if missed is not None:
            raise JumpedOverError(missed, solution)
        return solution

    def note(self, solution: Solution, **how: Any) -> None:
        """Add a rung to the record; `how` says by which method."""
        self.rungs.append(
            {
                **how,
                "precision": solution.precision.name,
                "tolerance": solution.tolerance,
                "steps": solution.steps,
                "build_seconds": solution.build_seconds,
                "run_seconds": solution.run_seconds,
                "status": solution.status,
                "digits": float("nan"),
            }
        )

    def look_closer(self) -> None:
        """Integrate the vector field of every step with more nodes."""
        self.nodes = MANY
        self.forget_companions()

    def start_over(self) -> None:
        """Take shorter steps."""
        self.finer = FINER
        self.forget_companions()

    def forget_companions(self) -> None:
        """Forget the companions, which were placed by the steps of another solve."""
        self.grid = Grid(self.times, np.stack([np.arange(len(self.times))] * 3))

    def _departure(
        self, system: Variational | Hybrid, leaves: tuple[float, float] | None
    ) -> tuple[float, Any] | None:
        if leaves is None:
            return None
        parts = system.start().variational if isinstance(system, Hybrid) else system
        return leave(
            self.model,
            parts.initial,
            parts.rows,
            system.precision,
            leaves[len(self.rungs) % len(leaves)],
        )

    def accept(self, result: Solution, bounds: Bounds | None) -> float:
        """Make `result` the best so far; the digits that its bounds certify.

        They are infinitely many where that is enough for what it is needed for.
        """
        self.best, self.bounds = result, bounds
        held = self.digits()[1] if bounds is not None else float("nan")
        self.rungs[-1]["digits"] = held
        self.lacks = None
        if bounds is not None and self.lacking is not None:
            self.lacks = self.lacking(self._extended())
            return held if self.lacks is not None else float("inf")
        return held

    def digits(self) -> tuple[tuple[Digits, Digits, Digits], float]:
        """Digits of sensitivities, integral sensitivities and states; and those certified."""
        assert self.best is not None
        n = self.model.n
        values, derivatives = self.best.float64()
        scale = certificate.state_scale(values, derivatives, self.model.parameter_scale)
        values, derivatives = values[self.grid.observed], derivatives[self.grid.observed]
        bounds = self.bounds or Bounds(
            np.full(values.shape, np.inf), np.full(derivatives.shape, np.inf)
        )
        # Right whatever their bounds are, and uncertified all the same: `reference` says so.
        beside = self._one_sided()
        nought = self._nought(derivatives, bounds, scale)
        certain = np.where(beside, 0.0, bounds.derivatives)
        results, whole = [], []
        for part in (slice(0, n), slice(n, None)):
            threshold = certificate.entry_thresholds(
                derivatives[:, part], scale[part], negligible=self.negligible
            )
            threshold[..., nought] = scale[part, None] / self.model.parameter_scale[nought]
            held, least = certificate.held_digits(derivatives[:, part], certain[:, part], threshold)
            held[beside[:, part]] = 0.0
            results.append(Digits(held, least))
            whole.append(least)
        threshold = certificate.value_thresholds(values[:, :n], negligible=self.negligible)
        held, least = certificate.held_digits(values[:, :n], bounds.values[:, :n], threshold)
        return (results[0], results[1], Digits(held, least)), whole[0]

    def short_of(self, digits: float) -> NDArray[np.int64]:
        """Parameters with a sensitivity, of a state, that has fewer digits; negligible ones too."""
        assert self.best is not None
        assert self.bounds is not None
        n = self.model.n
        values, derivatives = self.best.float64()
        scale = certificate.state_scale(values, derivatives, self.model.parameter_scale)[:n]
        observed = derivatives[self.grid.observed][:, :n]
        threshold = certificate.entry_thresholds(observed, scale, negligible=self.negligible)
        with np.errstate(invalid="ignore"):
            held = self.bounds.derivatives[:, :n] <= 10.0**-digits * np.maximum(
                np.abs(observed), threshold
            )
        return np.flatnonzero(~held.all(axis=(0, 1)))

    def _one_sided(self) -> NDArray[np.bool_]:
        """Entries of the derivatives at the observations that exist from one side only."""
        assert self.best is not None
        if self.best.one_sided is None:
            return np.zeros(self.best.derivatives[self.grid.observed].shape, dtype=bool)
        return self.best.one_sided[self.grid.observed]

    def _nought(self, derivatives: Any, bounds: Bounds, scale: Any) -> NDArray[np.bool_]:
        """Parameters on which nothing depends, as the solves of several precisions show."""
        return certificate.zero_columns(
            derivatives, bounds.derivatives, scale, self.model.parameter_scale
        )

    def note_one_sided(self) -> str:
        """Mark the derivatives of the best result that are one-sided; a sentence, if any are."""
        assert self.best is not None
        values, derivatives = self.best.float64()
        rows = self.grid.observed
        notes = one_sided(self.model, self.times, values[rows], derivatives[rows])
        marked = np.zeros(derivatives.shape, dtype=bool)
        if self.best.one_sided is not None:
            marked |= self.best.one_sided
        observed = marked[rows]
        causes = [(note.cause, note.time, note.columns) for note in notes]
        for note in notes:
            # One at the end is seen at the end alone.
            where = slice(None) if note.time == 0.0 else rows[-1]
            marked[where, :, note.columns] = True
        for cause, met, columns in self.best.one_sided_causes:
            later = observed[self.times >= met - 1e-9 * self.model.t_end]
            columns = columns & later.any(axis=(0, 1))
            known = any(met == when and (same >= columns).all() for _, when, same in causes)
            if not known:
                causes.append((cause, met, columns))
        causes.sort(key=lambda cause: cause[1])
        self.best = replace(self.best, one_sided=marked)
        sentences = []
        for cause, when, columns in causes[:3]:
            names = [k for k, marked in zip(self.model.parameters, columns, strict=True) if marked]
            if names:
                sentences.append(
                    f"at t = {when:g} derivatives with respect to {first_few(names)} "
                    f"are one-sided: {cause}"
                )
        return "; ".join(sentences)

    def held_until(self, digits: float) -> float:
        """The last observation time up to which every sensitivity has so many digits, else 0.

        Each has them in relation to the largest of its parameter until then.
        """
        if self.bounds is None or self.best is None:
            return 0.0
        n, (values, derivatives) = self.model.n, self.best.float64()
        scale = certificate.state_scale(values, derivatives, self.model.parameter_scale)[:n]
        shares = np.abs(derivatives[self.grid.observed][:, :n]) / scale[:, None]
        wrong = self.bounds.derivatives[:, :n] / scale[:, None]
        largest = np.maximum.accumulate(shares.max(axis=1), axis=0)
        with np.errstate(invalid="ignore"):
            uncertified = ~(wrong.max(axis=1) <= 10.0**-digits * largest).all(axis=1)
        first = int(uncertified.argmax()) if uncertified.any() else len(uncertified)
        return float(self.times[first - 1]) if first else 0.0

    def reference(self, status: str) -> Reference:
        assert self.best is not None
        n = self.model.n
        values, derivatives = self.best.float64()
        values, derivatives = values[self.grid.observed], derivatives[self.grid.observed]
        (digits, integral_digits, state_digits), _ = self.digits()
        if self.bounds is not None:
            every = certificate.state_scale(*self.best.float64(), self.model.parameter_scale)
            derivatives = derivatives.copy()
            derivatives[..., self._nought(derivatives, self.bounds, every)] = 0.0
        return Reference(
            times=self.times,
            states=values[:, :n],
            sensitivities=derivatives[:, :n],
            integrals=values[:, n:],
            integral_sensitivities=derivatives[:, n:],
            digits=digits,
            integral_digits=integral_digits,
            state_digits=state_digits,
            status=status,
            rungs=tuple(self.rungs),
            events=tuple(in_float64(record) for record in self.best.event_records),
            extended=self._extended(),
        )

    def _extended(self) -> Extended:
        """The best result for what cancels, with bounds of its errors, rounding included."""
        assert self.best is not None
        rows, nought = self.grid.observed, None
        if self.bounds is not None:
            values, derivatives = self.best.float64()
            scale = certificate.state_scale(values, derivatives, self.model.parameter_scale)
            nought = self._nought(derivatives[rows], self.bounds, scale)
        return extended(self.best, self.bounds, rows, self.model.n, self._one_sided(), nought)
