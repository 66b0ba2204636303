"""Do the bars of a Fisher information hold the certified values?

Models of the library with noise of 5 % of the largest value of each state, and estimation problems
in PEtab whose files are named. Each by two solvers, from rtol 1e-3 to 1e-8. A bar is that of a
standard error, of an eigenvalue or of the condition.

    NPROC=1 python benchmarks/fisher_coverage.py [problem.yaml or name of a model ...]

Without names all models of the list.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

import gradaudit

MODELS = (
    "logistic", "lotka_volterra", "harmonic_oscillator", "brusselator", "robertson", "hires",
    "van_der_pol", "many_parameters", "hodgkin_huxley",
)  # fmt: skip
SOLVERS = ("tsit5", "kvaerno5")
RTOLS = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
NOISE = 0.05
SAFETY, ROUNDING = 4.0, 64 * np.finfo(float).eps  # as in the package


def of_model(name):
    """The certified information of a model, and a function that gives that of a setting."""
    model = gradaudit.load_model(name)
    reference = gradaudit.reference(model)
    exact = reference.extended
    noise = np.tile(NOISE * np.abs(reference.states).max(axis=0), len(reference.times))
    count = len(model.parameters)

    def by(rows, errors):
        rows, errors = (np.reshape(x, (-1, count)).astype(float) for x in (rows, errors))
        return gradaudit.fisher_information(
            rows, noise=noise, error=errors, names=list(model.parameters),
            scale=np.where(model.nominal == 0, 1.0, np.abs(model.nominal)),
        )  # fmt: skip

    def of(solver, rtol):
        found = gradaudit.sensitivities(model, solver=solver, rtol=rtol, estimate=True)
        if found.status != "ok":
            return None
        n = found.states.shape[1]
        errors = np.abs(found.estimates.sensitivities[:, :n])
        errors = np.where(np.isnan(errors), np.inf, errors)
        return by(found.sensitivities, SAFETY * errors + ROUNDING * np.abs(found.sensitivities))

    return by(exact.sensitivities, exact.sensitivity_bounds), of


def of_problem(path):
    """The same of an estimation problem."""
    problem = gradaudit.load_problem(path)

    def of(solver, rtol):
        found = gradaudit.fisher_information(problem, solver=solver, rtol=rtol)
        return None if found.status.startswith("no result") else found

    return gradaudit.fisher_information(problem), of


def judged(exact, found):
    """Of each bar: whether it holds, whether it is closed, its half-width over the true error."""
    bars = np.concatenate([found.standard_error_bars, found.eigenvalue_bars, [found.condition_bar]])
    truth = np.concatenate([exact.standard_errors, exact.eigenvalues, [exact.condition]])
    own = np.concatenate([found.standard_errors, found.eigenvalues, [found.condition]])
    known = np.isfinite(truth)  # what is not identifiable has no value to hold
    bars, truth, own = bars[known], truth[known], own[known]
    low, high = bars.T
    closed = np.isfinite(high) & (low > 0.0)
    with np.errstate(all="ignore"):
        width = (high - low) / 2 / np.abs(own - truth)
    return (low <= truth) & (truth <= high), closed, width


def main() -> None:
    """Print a row for each model and problem, and the sum."""
    print(f"{'':26s} solves  bars  held  closed  half-width / error, median")
    total = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in sys.argv[1:] or MODELS:
            exact, of = (of_problem if name.endswith(".yaml") else of_model)(name)
            parts = [of(solver, rtol) for solver in SOLVERS for rtol in RTOLS]
            rows = [judged(exact, own) for own in parts if own is not None]
            held, closed, width = (np.concatenate(part) for part in zip(*rows, strict=True))
            total.append((len(rows), held, closed, width))
            show(name.rpartition("/")[2].removesuffix(".yaml"), *total[-1])
    numbers, *arrays = zip(*total, strict=True)
    show("all", sum(numbers), *map(np.concatenate, arrays))


def show(name, solves, held, closed, width) -> None:
    """One row; certified values that are not resolved themselves are not counted."""
    known = width[closed & np.isfinite(width)]
    print(
        f"{name[:26]:26s} {solves:6d} {len(held):5d} {held.mean():5.1%} {closed.mean():7.1%}"
        f"  {np.median(known) if len(known) else np.nan:.1f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
