"""Is a recommended tolerance right? Steps, standard errors and a sampler, by it and a looser one.

For each estimation problem in PEtab, what the recommendation is for is done: by certified
derivatives, by the recommended setting, and at ten times its tolerance.

- step: a direction of L-BFGS at each point, from the gradient there and two pairs of its memory, of
  points a tenth of a standard error apart or a hundredth of the bounds, all by the setting.
- standard errors: by the sensitivities of the setting; the largest change of those below the
  distance of the bounds.
- sampler: 20,000 trajectories of Hamiltonian Monte Carlo on the normal density that has the
  certified gradient and information, with forces that have those of the setting, tuned to an
  acceptance of 0.8 with exact forces.

    NPROC=1 python benchmarks/recommended_settings.py problem.yaml ...
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

import gradaudit
from gradaudit.problem.effects import exactly
from gradaudit.problem.needed import DONE, TRAJECTORY, widths

SEED = 0
PAIRS, APART, LARGEST = 2, 0.1, 0.01
LOOSER = 10.0


def lbfgs(gradients, places):
    """The direction of ascent at the last place, by the two-loop recursion."""
    pairs = [
        (b - a, -(d - c))
        for a, b, c, d in zip(places, places[1:], gradients, gradients[1:], strict=False)
    ]
    pairs = [(s, y) for s, y in pairs if s @ y > 1e-10 * np.linalg.norm(s) * np.linalg.norm(y)]
    q, weights = gradients[-1].copy(), []
    for s, y in reversed(pairs):
        weights.append(s @ q / (y @ s))
        q -= weights[-1] * y
    if pairs:
        s, y = pairs[-1]
        q *= s @ y / (y @ y)
    for (s, y), weight in zip(pairs, reversed(weights), strict=True):
        q += s * (weight - y @ q / (y @ s))
    return q


def acceptance(metric, forces, steps, count=20_000):
    """Of trajectories by forces, a function of whitened positions (count, K); exact energies."""
    rng = np.random.default_rng(SEED)
    size = metric.triangle.shape[0]
    q, v = rng.standard_normal((2, count, size))
    begin = (q**2 + v**2).sum(axis=1) / 2
    step = TRAJECTORY / steps
    for _ in range(steps):
        v = v + step / 2 * forces(q)
        q = q + step * v
        v = v + step / 2 * forces(q)
    change = (q**2 + v**2).sum(axis=1) / 2 - begin
    return float(np.minimum(1.0, np.exp(-change)).mean())


def sampled(point, gradient, rows):
    """Acceptance by exact forces, and by those of a setting."""
    metric = point.metric
    inverse = np.linalg.inv(metric.triangle)
    size = len(inverse)
    shift = inverse.T @ (gradient - point.gradient)
    change = inverse.T @ (rows.T @ rows - point.fisher.rows.T @ point.fisher.rows) @ inverse
    # the leapfrog's number of steps with an acceptance of 0.8 or next above
    steps = next(n for n in range(1, 200) if acceptance(metric, lambda q: -q, n) >= 0.8)
    wrong = acceptance(metric, lambda q: -q + shift - q @ change.T, steps)
    assert change.shape == (size, size)
    return acceptance(metric, lambda q: -q, steps), wrong


def done(problem, point, neighbours, setting):
    """The changes by a setting: of a step, of standard errors, and the acceptances."""
    metric = point.metric
    here = problem.parameters.nominal if point.p is None else point.p
    places = [*(own.p for own in neighbours), here]
    certified = lbfgs([own.gradient for own in neighbours] + [point.gradient], places)
    found = [problem.gradient(p, **setting) for p in [*places[:-1], point.p]]
    if any(own.status != "ok" for own in found):
        return (np.nan,) * 4
    mine = lbfgs([own.gradient for own in found], places)
    length = np.linalg.norm(metric.triangle @ certified)
    step = np.linalg.norm(metric.triangle @ (mine - certified)) / max(length, DONE)
    if not point.near:
        return step, np.nan, np.nan, np.nan
    rows = gradaudit.fisher_information(problem, p=point.p, estimate=False, **setting).rows
    counted = list(point.counted)
    # by R of the rows: the inverse of F itself would lose twice the digits
    own = np.linalg.norm(np.linalg.inv(np.linalg.qr(rows, mode="r")), axis=1)
    deviation = np.abs(own / point.fisher.standard_errors - 1)[counted]
    return step, max(deviation, default=0.0), *sampled(point, found[-1].gradient, rows)


def beside(problem, point, here, k):
    """A certified point nearby, nearer where the model has no solution."""
    shift = APART * point.metric.drawn(SEED + k + 1)
    shift /= max(1.0, np.max(np.abs(shift) / widths(problem.parameters)) / LARGEST)
    while True:
        try:
            return exactly(problem, "beside", here + shift, digits=10.0, time_limit=600.0)
        except gradaudit.ProblemError:
            shift = 0.1 * shift


def looser(setting, factor):
    """The same solver and method at a looser tolerance."""
    return {**setting, "rtol": setting["rtol"] * factor, "atol": setting["atol"] * factor}


def main() -> None:
    """Print the recommendation and what comes of it."""
    warnings.simplefilter("ignore")
    for path in sys.argv[1:]:
        problem = gradaudit.load_problem(path)
        found = gradaudit.recommend(problem, seed=SEED)
        print(f"\n{problem.name or path}\n{found}", flush=True)
        if found.setting is None:
            continue
        print(f"{'point':9s} {'for':15s} {'rtol':6s} step     standard error  acceptance (exact)")
        for point in found.points:
            here = problem.parameters.nominal if point.p is None else point.p
            neighbours = [beside(problem, point, here, k) for k in range(PAIRS)]
            for goal, choice in found.choices.items():
                if goal == "all" or choice.setting is None or (goal != "step" and not point.near):
                    continue
                for factor in (1.0, LOOSER):
                    own = looser(choice.setting, factor)
                    step, error, exact, mine = done(problem, point, neighbours, own)
                    print(
                        f"{point.name:9s} {goal:15s} {own['rtol']:.0e}  {step:.1e}  {error:.1e}"
                        f"         {mine:.4f} ({exact:.4f})",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
