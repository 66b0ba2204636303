"""The state of a climb: the solves so far, the best result with its bounds, the time left."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from gradaudit.model import Model
from gradaudit.results import Digits, Hit, Reference
from gradaudit.taylor import certificate
from gradaudit.taylor.certificate import Bounds, Grid
from gradaudit.taylor.hybrid import Hybrid, build_system, solve_system
from gradaudit.taylor.precision import Precision
from gradaudit.taylor.variational import PROGRESS_AFTER, Progress, Solution, Variational

# A Taylor series is blind to what is exactly flat where it is expanded: steps are capped, and
# differently on every rung, lest two of them jump over the same feature.
CAPS = (211, 317, 293, 269, 307, 257, 331, 283, 349)

RETRIES = (0.37, 0.61)
"""First steps, in shares of the first output time, with which a solve that is stuck is repeated.

Where a step begins next to a removable singularity, such as that of x / expm1(x) at 0, the series
is lost in rounding; another grid passes it by.
"""


class Climb:
    """The solves so far, the best result with its bounds, and the time left."""

    def __init__(
        self, model: Model, times: Any, *, negligible: float, time_limit: float,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        self.model, self.times, self.negligible = model, times, negligible
        self.progress = progress
        self.limit, self.started = time_limit, time.perf_counter()
        self.rungs: list[dict[str, Any]] = []
        self.best: Solution | None = None
        self.bounds: Bounds | None = None
        self.grid = Grid(times, np.stack([np.arange(len(times))] * 3))

    @property
    def left(self) -> float:
        return self.limit - (time.perf_counter() - self.started)

    def build(self, precision: Precision, tolerance: float) -> Variational | Hybrid:
        if self.progress is not None and self.limit - self.left > PROGRESS_AFTER:
            self.progress(0.0, f"building {precision.name}, tolerance {tolerance:.1e}")
        return build_system(self.model, precision=precision, tolerance=tolerance)

    def run(
        self,
        system: Variational | Hybrid,
        *,
        first_step: float | None = None,
        keep_grid: bool = False,
    ) -> Solution:
        cap = CAPS[len(self.rungs) % len(CAPS)]
        positive = self.grid.times[self.grid.times > 0.0]
        for fraction in (first_step, *RETRIES):
            first = None if fraction is None or not len(positive) else fraction * positive[0]
            solution = solve_system(
                system,
                self.grid.times,
                max_step=self.model.t_end / cap,
                first_step=first,
                keep_grid=keep_grid,
                time_limit=max(self.left, 0.0),
                progress=self.progress,
            )
            if solution.status not in ("step_underflow", "non_finite"):
                break
        self.rungs.append(
            {
                "precision": system.precision.name,
                "tolerance": system.tolerance,
                "steps": solution.steps,
                "build_seconds": system.build_seconds,
                "run_seconds": solution.run_seconds,
                "status": solution.status,
                "digits": float("nan"),
            }
        )
        return solution

    def accept(self, result: Solution, bounds: Bounds | None) -> float:
        """Make `result` the best so far; the digits that its bounds certify."""
        self.best, self.bounds = result, bounds
        held = self.digits()[1] if bounds is not None else float("nan")
        self.rungs[-1]["digits"] = held
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
        results, whole = [], []
        for part in (slice(0, n), slice(n, None)):
            threshold = certificate.entry_thresholds(
                derivatives[:, part], scale[part], negligible=self.negligible
            )
            held, least = certificate.held_digits(
                derivatives[:, part], bounds.derivatives[:, part], threshold
            )
            results.append(Digits(held))
            whole.append(least)
        threshold = certificate.value_thresholds(values[:, :n], negligible=self.negligible)
        held, _ = certificate.held_digits(values[:, :n], bounds.values[:, :n], threshold)
        return (results[0], results[1], Digits(held)), whole[0]

    def reference(self, status: str) -> Reference:
        assert self.best is not None
        n = self.model.n
        values, derivatives = self.best.float64()
        values, derivatives = values[self.grid.observed], derivatives[self.grid.observed]
        (digits, integral_digits, state_digits), _ = self.digits()
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
            events=tuple(in_float64(hit) for hit in self.best.hits),
        )


def in_float64(hit: Hit) -> Hit:
    """An event rounded from any precision."""

    def rounded(values: Any) -> Any:
        return np.vectorize(float, otypes=[np.float64])(values)

    return Hit(
        hit.name,
        float(hit.time),
        rounded(hit.slope),
        rounded(hit.state),
        rounded(hit.tangents),
        rounded(hit.rate),
    )
