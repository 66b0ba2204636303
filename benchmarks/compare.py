"""Time to a gradient of equal error: gradaudit, diffrax, CVODES and diffsol in one process.

    NPROC=1 taskset -c 0 python benchmarks/compare.py [MODEL or PROBLEM.yaml ...] [--rounds 5]
    NPROC=1 taskset -c 0 python benchmarks/compare.py --petab FOLDER

The gradient is that of the first observable of a model at the end of its window, or of the
log-likelihood of an estimation problem in PEtab, with regard to all parameters. Each tool solves at
tolerances from 1e-3 on, by decades. Its errors are measured against the certified gradient, of a
problem that of its document in `certified/` if there is one (docs/certified.md), and its time to an
error comes from interpolation between tolerances, logarithm against logarithm. A
tolerance counts if all tighter ones have an error as small. Times are medians of warm solves, in
turns, without compilation; of a problem the likelihood is left out, which is the same for all, but
not from processor time (--processor-time), which is that of the call.

Printed are the time to each error and its ratio to that of gradaudit (the best of its solvers, with
the tangents in the error test), and the exponent q of time ~ rtol^-q: the time of a tolerance that
is tighter by a decade is 10^q times as long. "<" is at the loosest tolerance that was tried, "-" is
an error that was not reached, within the longest time of a solve (--longest).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from common import ATOL_FACTOR, by_columns, forward_ad, relative_error, seconds, states_at

import gradaudit
from gradaudit.errors import ModelWarning
from gradaudit.model.shared_form import shared_form, with_numbers
from gradaudit.problem.approximate import ApproximatePart
from gradaudit.problem.gradient import Solve, approximation_at
from gradaudit.problem.simulation import contributions
from gradaudit.problem.solving import Solved
from gradaudit.records.results import Extended

SUBJECTS = (
    "hodgkin_huxley",
    "drosophila_clock",
    "van_der_pol@mu=100",
    "van_der_pol@mu=1000",
    "robertson",
)
PROBLEMS = (
    "Boehm_JProteomeRes2014",
    "Bachmann_MSB2011",
    "Sneyd_PNAS2002",
    "Laske_PLOSComputBiol2019",
)
"""Of the PEtab benchmark collection, in --petab: 8, 25, 6 (stiff) and 34 states."""
CERTIFIED = Path(__file__).parents[1] / "certified"
TARGETS = (1e-4, 1e-6, 1e-8)
LADDER = tuple(10.0**-k for k in range(3, 13))
ENOUGH = 1e-9
OWN = ("tsit5", "dopri8", "rodas5p", "kvaerno5", "radau5", "radau9")
TOOLS = ("cvodes", "diffsol")
PLAIN = {"forward AD": forward_ad, "jvp": by_columns}
PLAIN_SOLVERS = ("tsit5", "kvaerno5")
PACKAGES = ("gradaudit", "jax", "diffrax", "casadi", "pydiffsol", "numpy")


def candidates():
    """By name: how the solves are made, as keywords, or diffrax's solver and mode."""
    own = {f"gradaudit {name}": {"solver": name, "method": "forward_sensitivity"} for name in OWN}
    tools = {name: {"method": name} for name in TOOLS}
    plain = {f"diffrax {s}, {mode}": (s, mode) for s in PLAIN_SOLVERS for mode in PLAIN}
    return own | plain | tools


class ModelSubject:
    """The first observable of a model at the end."""

    def __init__(self, name, max_steps):
        self.model = gradaudit.load_model(name)
        self.max_steps = max_steps
        self.states, self.parameters = self.model.n, self.model.m
        (self.first, *_) = self.model.observable_indices
        found = gradaudit.reference(self.model, [self.model.t_end])
        self.exact, self.scale = found.sensitivities[-1, self.first], self.model.parameter_scale

    def by_keywords(self, rtol, **setting):
        """The gradient and the seconds of a warm solve by `gradaudit.sensitivities`."""
        found = gradaudit.sensitivities(
            self.model, rtol=rtol, times=[self.model.t_end], max_steps=self.max_steps, **setting
        )
        return found.sensitivities[-1, self.first], found.stats.get("seconds", math.nan)

    def plain(self, solver, mode):
        """A function of rtol that does the same by diffrax."""
        jacobian = plain_jacobian(self.model, solver, mode, None, self.max_steps)
        p = jnp.asarray(self.model.nominal)

        def run(rtol):
            taken, found = timed(lambda: jacobian(p, rtol))
            return found[-1, self.first], taken

        return run


class ProblemSubject:
    """The log-likelihood of an estimation problem at its nominal parameters."""

    scale = 1.0  # the gradient is one on the estimation scale

    def __init__(self, path, max_steps):
        self.problem = gradaudit.load_problem(path)
        self.max_steps = max_steps
        values = tuple(self.problem.parameters.nominal_values.tolist())
        self.approximation = approximation_at(self.problem, values)
        preparation = self.approximation.preparation
        self.prepared = [
            (group, preparation.prepared(group, time_limit=60.0))
            for group in self.approximation.groups
        ]
        self.states = max(own.translation.model.n for _, own in self.prepared)
        self.parameters = len(values)
        self.exact = certified_gradient(path, self.problem)

    def by_keywords(self, rtol, **setting):
        """The gradient and the seconds of the warm solves of all conditions."""
        found = self.problem.gradient(rtol=rtol, max_steps=self.max_steps, **setting)
        return found.gradient, found.stats["seconds"]

    def plain(self, solver, mode):
        """A function of rtol that solves each condition by diffrax, with its dense output."""
        solves, programs, preparation = [], {}, self.approximation.preparation
        for group, prepared in self.prepared:
            if prepared.resting is not None or group.rests:
                raise ValueError("a steady state is measured, or the simulation stays at one")
            model = prepared.translation.model
            if model.events:
                raise ValueError("the model has events")
            form = shared_form(model)
            key, numbers = (id(model), ()) if form is None else form
            if key not in programs:
                programs[key] = shared_programs(model, solver, mode, form, self.max_steps)
            arguments = jax.tree_util.tree_map(jnp.asarray, (prepared.times, numbers))
            solves.append((group, prepared, programs[key], arguments, jnp.asarray(model.nominal)))

        def run(rtol):
            parts, total = [], 0.0
            for group, prepared, (states, jacobian), arguments, p in solves:
                taken, rows = timed(lambda j=jacobian, a=arguments, p=p: j(p, rtol, *a))
                values = np.asarray(states(p, rtol, *arguments))  # a part of that solve in a fit
                total += taken
                solved = Solved.of(group, prepared, [extended(values, rows)], "ok", False)
                part = ApproximatePart(
                    group, contributions(preparation, group, solved), None, "ok", math.nan,
                    dict.fromkeys(("steps", "accepted", "rejected", "seconds"), 0.0)
                    | {"compile_seconds": 0.0}, solved,
                )  # fmt: skip
                parts.append(Solve(group, part, "ok", ()))
            return self.approximation.total(None, {}, parts).gradient, total

        return run


def plain_jacobian(model, solver, mode, times, max_steps):
    """A function of p and rtol: dy/dp (T, n, m) by diffrax alone."""
    states = states_at(
        model, solver, times, max_steps=max_steps, adjoint=diffrax.ForwardMode(), throw=False
    )
    return PLAIN[mode](states)


def shared_programs(model, solver, mode, form, max_steps):
    """Functions of p, rtol, times and numbers: y and dy/dp of all models of one form."""

    def with_its(numbers):
        return model if form is None else with_numbers(model, numbers)

    def states(p, rtol, times, numbers):
        return states_at(
            with_its(numbers), solver, times, max_steps=max_steps,
            adjoint=diffrax.ForwardMode(), throw=False,
        )(p, rtol)  # fmt: skip

    def jacobian(p, rtol, times, numbers):
        return plain_jacobian(with_its(numbers), solver, mode, times, max_steps)(p, rtol)

    return jax.jit(states), jax.jit(jacobian)


def certified_gradient(path, problem):
    """That of the nominal parameters in its document in `certified/`, or computed now."""
    document = CERTIFIED / f"{Path(path).stem}.json"
    if not document.exists():
        return gradaudit.reference_gradient(problem).gradient
    found = json.loads(document.read_text())
    gradient = found["points"]["nominal"]["gradient"]
    return np.array([float(gradient[name]) for name in found["parameters"]])


def extended(states, rows):
    """As a certified solve is stored, with bounds that mean nothing."""
    return Extended(
        states=states.astype(np.longdouble),
        sensitivities=np.asarray(rows).astype(np.longdouble),
        state_bounds=np.zeros(states.shape),
        sensitivity_bounds=np.zeros(rows.shape),
    )


def timed(call):
    """Seconds of a call, and its result as an array."""
    kept = []
    taken = seconds(lambda: kept.append(call()) or kept[0])
    return taken, np.asarray(kept[0])


def runs_of(subject, only=None):
    """By name: a function of rtol that returns a gradient and seconds; what cannot be run is told.

    `only` has words of which a name has one; None for all candidates.

    Warm times of gradaudit and of the two tools exclude what is built for a model.
    """
    found = {}
    for name, how in candidates().items():
        if only and not any(word in name.removeprefix("gradaudit ") for word in only):
            continue
        if isinstance(how, dict):
            found[name] = lambda rtol, how=how: subject.by_keywords(rtol, **how)
            continue
        try:
            found[name] = subject.plain(*how)
        except ValueError as error:
            print(f"  {name}: left out, {error}")
    return found


def measured(subject, *, only, rounds, longest, processor=False):
    """By name: the tolerances, errors and median times of a candidate, each an array."""
    runs, errors, times = runs_of(subject, only), {}, {}
    for name, run in runs.items():
        print(f"  {name}", file=sys.stderr, flush=True)
        for rtol in LADDER:
            try:
                run(rtol)  # compiles
                gradient, taken = run(rtol)
            except (gradaudit.GradauditError, RuntimeError) as error:
                print(f"  {name}, {rtol:.0e}: {type(error).__name__}")
                continue  # a tighter tolerance may well have a result
            error = relative_error(gradient, subject.exact, subject.scale)
            errors[name, rtol] = error
            if not taken <= longest or error < ENOUGH:
                break
    for _ in range(rounds):
        for name, rtol in errors:
            begun = time.process_time()
            taken = runs[name](rtol)[1]
            spent = time.process_time() - begun
            times.setdefault((name, rtol), []).append(spent if processor else taken)
    return {
        name: tuple(
            np.array(column)
            for column in zip(
                *(
                    (rtol, errors[own, rtol], statistics.median(times[own, rtol]))
                    for own, rtol in errors
                    if own == name and np.isfinite(errors[own, rtol])
                ),
                strict=True,
            )
        )
        for name in runs
        if any(own == name and np.isfinite(error) for (own, _), error in errors.items())
    }


def time_to(target, errors, times):
    """Seconds to an error, and whether that is at the loosest tolerance; NaN if not reached."""
    surely = np.maximum.accumulate(errors[::-1])[::-1]  # of this and all tighter tolerances
    if surely[0] <= target:
        return float(times[0]), True
    if surely[-1] > target:
        return math.nan, False
    after = int(np.argmax(surely <= target))
    ends = slice(after - 1, after + 1)
    x, y = np.log(surely[ends]), np.log(times[ends])
    return float(np.exp(y[0] + (math.log(target) - x[0]) / (x[1] - x[0]) * (y[1] - y[0]))), False


def exponent(tolerances, times):
    """q of time ~ rtol^-q, by least squares over all tolerances."""
    if len(times) < 3:
        return math.nan
    return -float(np.polyfit(np.log(tolerances), np.log(times), 1)[0])


def show(name, subject, curves):
    """Print the rows of a subject, that of gradaudit's best first."""
    reached = {
        own: [time_to(target, errors, times) for target in TARGETS]
        for own, (_, errors, times) in curves.items()
    }
    best = [
        min((reached[own][k][0] for own in reached if own.startswith("gradaudit")
             if not math.isnan(reached[own][k][0])), default=math.nan)
        for k in range(len(TARGETS))
    ]  # fmt: skip
    print(f"\n{name}: {subject.states} states, {subject.parameters} parameters")
    heads = "".join(f"{f'ms to {target:.0e}':>14s} {'ratio':>7s}" for target in TARGETS)
    print(f"{'':30s}{heads} {'q':>6s} {'least error':>12s}")
    for own, columns in reached.items():
        tolerances, errors, times = curves[own]
        cells = ""
        for (taken, loosest), unit in zip(columns, best, strict=True):
            if math.isnan(taken):
                cells += f"{'-':>14s} {'-':>7s}"
                continue
            text = f"{'<' * loosest}{1e3 * taken:.3g}"
            cells += f"{text:>14s} {taken / unit:7.2f}"
        q = exponent(tolerances, times)
        print(f"{own:30s}{cells} {q:6.2f} {np.min(errors):12.1e}", flush=True)


def main() -> None:
    """Print versions, the load, and the table of each subject."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("subjects", nargs="*")
    parser.add_argument("--petab", type=Path, help="folder of the benchmark collection's problems")
    parser.add_argument("--only", nargs="*", help="words of the names of candidates, such as radau")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--longest", type=float, default=2.0, help="seconds of a solve")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="of whole calls, in place of the time of solves: on a machine that is busy",
    )
    parser.add_argument("--max-steps", type=int, default=200_000)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ModelWarning)
    print(", ".join(f"{name} {version(name)}" for name in PACKAGES))
    print(f"atol {ATOL_FACTOR:g} rtol; {arguments.rounds} rounds; load {os.getloadavg()[0]:.1f}")
    subjects = arguments.subjects or ()
    if arguments.petab:
        subjects = [*subjects, *(str(arguments.petab / n / f"{n}.yaml") for n in PROBLEMS)]
    for given in subjects or SUBJECTS:
        problem = given.endswith((".yaml", ".yml"))
        kind, name = (ProblemSubject, Path(given).stem) if problem else (ModelSubject, given)
        subject = kind(given, arguments.max_steps)
        curves = measured(
            subject,
            only=arguments.only,
            rounds=arguments.rounds,
            longest=arguments.longest,
            processor=arguments.processor_time,
        )
        show(name, subject, curves)
    print(f"\nload at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
