"""What does a certified reference cost, against SciPy's solvers at the digits that they reach?

States and sensitivities to the end of the window, by `gradaudit.reference` with what it compiles,
and by SciPy's Radau (with the exact Jacobian) and DOP853 on the augmented system, compiled before,
side by side in this process. SciPy's tolerance is tightened until its result has the digits asked
for, or gets no better; its digits are those on which it agrees with the reference.

    NPROC=1 python benchmarks/reference_cost.py [robertson lorenz ...] [--digits 10] [--limit 60]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from scipy.integrate import solve_ivp

import gradaudit
from gradaudit.certification import certificate
from gradaudit.model.quadratures import initial_state

PROBLEMS = (
    "robertson#4e4", "robertson#4e10", "van_der_pol@mu=1000", "hires", "prothero_robinson",
    "hodgkin_huxley", "lorenz",
)  # fmt: skip
TOLERANCES = (1e-9, 1e-11, 1e-13)


class TimeIsOverError(Exception):
    """A solve of SciPy takes longer than it may."""


def problem(text):
    """A model; ``name#t_end`` for another window."""
    name, _, t_end = text.partition("#")
    model = gradaudit.load_model(name)
    return replace(model, t_end=float(t_end)) if t_end else model


def augmented(model):
    """The initial state and the rates of (y, S), both flat."""
    p = jnp.asarray(model.nominal)
    by_state, by_parameter = (jax.jacfwd(model.vector_field, k) for k in (1, 2))

    @jax.jit
    def rates(t, z):
        y, s = z[: model.n], z[model.n :].reshape(model.n, model.m)
        slopes = by_state(t, y, p) @ s + by_parameter(t, y, p)
        return jnp.concatenate([model.vector_field(t, y, p), slopes.ravel()])

    y = initial_state(model, p)
    slopes = jax.jacfwd(lambda p: initial_state(model, p))(p)
    start = np.concatenate([y, np.ravel(slopes)])
    jacobian = jax.jit(jax.jacfwd(rates, 1))
    rates(0.0, start)
    jacobian(0.0, start)
    return start, rates, jacobian


def by_scipy(model, system, method, rtol, limit):
    """Seconds and S (n, m) at the end; None where it takes too long."""
    start, rates, jacobian = system
    began = time.perf_counter()

    def timed(t, z):
        if time.perf_counter() - began > limit:
            raise TimeIsOverError
        return np.asarray(rates(t, z))

    more = {"jac": lambda t, z: np.asarray(jacobian(t, z))} if method == "Radau" else {}
    try:
        found = solve_ivp(
            timed, (0.0, model.t_end), start, method=method, rtol=rtol, atol=1e-7 * rtol,
            t_eval=[model.t_end], **more,
        )  # fmt: skip
    except TimeIsOverError:
        return time.perf_counter() - began, None
    seconds = time.perf_counter() - began
    return seconds, found.y[model.n :, -1].reshape(model.n, model.m) if found.success else None


def tightened(model, reference, method, options):
    """Seconds, digits and tolerance of SciPy's cheapest result that has the digits, or its best."""
    system, best = augmented(model), None
    for rtol in TOLERANCES:
        seconds, sensitivities = by_scipy(model, system, method, rtol, options.limit)
        if sensitivities is None:
            return best or (seconds, None, rtol)
        digits = agreement(sensitivities, reference, model)
        if best is None or digits > best[1]:
            best = seconds, digits, rtol
        if digits >= options.digits:
            break
    return best


def agreement(found, reference, model):
    """Digits of S at the end, of entries that are not negligible."""
    exact = reference.sensitivities[-1]
    scale = certificate.state_scale(
        reference.states, reference.sensitivities, model.parameter_scale
    )
    size = np.abs(exact)
    least = certificate.entry_thresholds(exact[None], scale, negligible=1e-3)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(-np.log10(np.max(np.where(size > least, np.abs(found - exact) / size, 0.0))))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="*", default=PROBLEMS)
    parser.add_argument("--digits", type=float, default=10.0)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for each solve")
    options = parser.parse_args()
    for text in options.problems:
        model = problem(text)
        began = time.perf_counter()
        found = gradaudit.reference(model, digits=options.digits, time_limit=options.limit)
        own = time.perf_counter() - began
        why = found.rungs[0].get("why", "")
        print(f"{text}: {own:.2f} s, {float(found.digits):.1f} digits, {found.status} ({why})")
        for method in ("Radau", "DOP853"):
            seconds, digits, rtol = tightened(model, found, method, options)
            if digits is None:
                print(f"    {method}: nothing after {seconds:.1f} s, ratio > {seconds / own:.0f}")
                continue
            ratio = f"ratio {seconds / own:.1f}"
            print(f"    {method}: {seconds:.2f} s, {digits:.1f} digits, rtol {rtol:.0e}, {ratio}")


if __name__ == "__main__":
    main()
