"""What wrong gradients do to a fit: L-BFGS-B from the same starts by a usual and a tight setting.

The value and the gradient of the negative log-likelihood come from one solve, as they do in a fit.
Starts are drawn about the nominal parameters on the estimation scale with a fixed seed, within the
bounds. How good an end is, is judged by the tight setting at every end.

    python benchmarks/optimiser.py PATH/problem.yaml ... [--starts 10] [--spread 0.3] [--solver X]
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

import gradaudit

warnings.simplefilter("ignore")

TIGHT = {"rtol": 1e-9, "atol": 1e-12, "method": "forward_sensitivity"}
USUAL = (
    ("forward AD 1e-3", {"rtol": 1e-3, "atol": 1e-6, "method": "forward_ad"}),
    ("forward AD 1e-6", {"rtol": 1e-6, "atol": 1e-9, "method": "forward_ad"}),
    ("full control 1e-6", {"rtol": 1e-6, "atol": 1e-9, "method": "forward_sensitivity"}),
)
MOST_STEPS = 20_000
LOST = 1e10
"""The objective where a solve has no result: far above all others, and flat."""

WORSE = 0.1
"""Of the log-likelihood: an end that is worse by more is elsewhere."""


@dataclass
class Fit:
    """The objective by one setting, and what was asked of it."""

    problem: gradaudit.Problem
    setting: dict[str, Any]
    calls: int = 0
    lost: int = 0
    seconds: float = 0.0
    ends: list[float] = field(default_factory=list)
    failed: int = 0
    iterations: list[int] = field(default_factory=list)

    def __call__(self, p: np.ndarray) -> tuple[float, np.ndarray]:
        begin = time.perf_counter()
        found = self.problem.gradient(p, **self.setting)
        self.seconds += time.perf_counter() - begin
        self.calls += 1
        if found.status != "ok":
            self.lost += 1
            return LOST, np.zeros(len(p))
        return -found.value, -found.gradient

    def run(self, start: np.ndarray, bounds: Any, most: int) -> np.ndarray:
        result = minimize(
            self, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": most}
        )
        self.iterations.append(int(result.nit))
        self.failed += "ABNORMAL" in str(result.message)
        return np.asarray(result.x)


def starts(problem: gradaudit.Problem, count: int, spread: float, seed: int) -> np.ndarray:
    """Points (count, K) about the nominal one, within the bounds."""
    parameters, random = problem.parameters, np.random.default_rng(seed)
    drawn = parameters.nominal + spread * random.normal(size=(count, len(parameters)))
    return np.clip(drawn, parameters.lower, parameters.upper)


def compare(path: Path, args: argparse.Namespace) -> None:
    """Fit a problem by all settings and print a line for each."""
    problem = gradaudit.load_problem(path)
    bounds = list(zip(problem.parameters.lower, problem.parameters.upper, strict=True))
    points = starts(problem, args.starts, args.spread, args.seed)
    own = {"solver": args.solver, "max_steps": MOST_STEPS}
    judge = Fit(problem, {**TIGHT, **own})
    reference = None
    print(f"\n{problem.name}, {args.solver}, {args.starts} starts, spread {args.spread:g}")
    print(f"{'setting':<20}{'best end':>12}  worse  steps  calls  failed  lost")
    for name, setting in (("full control 1e-9", TIGHT), *USUAL):
        fit = Fit(problem, {**setting, **own})
        for start in points:
            fit.ends.append(judge(fit.run(start, bounds, args.most))[0])
        reference = np.array(fit.ends) if reference is None else reference
        worse = int(np.sum(np.array(fit.ends) > reference + WORSE))
        print(
            f"{name:<20}{min(fit.ends):>12.4f}{worse:>7}{np.median(fit.iterations):>7.0f}"
            f"{fit.calls:>7}{fit.failed:>8}{fit.lost:>6}  {fit.seconds:6.1f} s",
            flush=True,
        )


def main() -> None:
    """Fit the problems that are named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="+", type=Path)
    parser.add_argument("--starts", type=int, default=10)
    parser.add_argument("--spread", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most", type=int, default=100, help="iterations")
    parser.add_argument("--solver", default="tsit5")
    args = parser.parse_args()
    for path in args.problems:
        compare(path, args)


if __name__ == "__main__":
    main()
