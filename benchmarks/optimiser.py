"""What wrong gradients do to a fit: L-BFGS-B from the same starts by a usual and a tight setting.

Stage fit does the same for problems in a study; `gradaudit.problem.fitting` says how.

    python benchmarks/optimiser.py PATH/problem.yaml ... [--starts 10] [--spread 0.3] [--solver X]
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import gradaudit
from gradaudit.problem.fitting import MOST_STEPS, fits, starts
from gradaudit.problem.usual import usual_settings
from gradaudit.records.labels import method_name

warnings.simplefilter("ignore")

ATOL_FACTOR = 1e-3


def compare(path: Path, args: argparse.Namespace) -> None:
    """Fit a problem by all settings and print a line for each."""
    problem = gradaudit.load_problem(path)
    settings = usual_settings(problem, args.solver, atol_factor=ATOL_FACTOR, max_steps=MOST_STEPS)
    table = fits(
        problem,
        [{**setting, "max_steps": MOST_STEPS} for setting in settings],
        starts(problem.parameters, args.starts, spread=args.spread, seed=args.seed),
        iterations=args.most,
        seconds=args.seconds,
    )
    print(f"\n{problem.name}, {args.solver}, {args.starts} starts, spread {args.spread:g}")
    print(f"{'setting':<20}{'best end':>12}  worse  steps  calls  failed  lost")
    for _, own in table.groupby(["judges", "method", "rtol"], sort=False):
        name = f"{method_name(own['method'].iloc[0])} {own['rtol'].iloc[0]:.0e}"
        worse = int((own["elsewhere"] == True).sum())  # noqa: E712  # None where not known
        print(
            f"{name:<20}{-own['log_likelihood'].max():>12.4f}{worse:>7}"
            f"{own['iterations'].median():>7.0f}{own['calls'].sum():>7}"
            f"{own['line_search_failed'].sum():>8}{own['lost'].sum():>6}"
            f"  {own['seconds'].sum():6.1f} s",
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
    parser.add_argument("--seconds", type=float, default=3600.0, help="for each problem")
    parser.add_argument("--solver", default="tsit5")
    args = parser.parse_args()
    for path in args.problems:
        compare(path, args)


if __name__ == "__main__":
    main()
