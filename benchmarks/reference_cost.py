"""What does a certified reference cost, against SciPy's solvers at the digits that they reach?

States and sensitivities to the end of the window, by `gradaudit.reference` and by SciPy's Radau and
DOP853 on the augmented system at their tightest tolerances, side by side in this process. The
digits of SciPy are those on which it agrees with the reference.

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

PROBLEMS = ("robertson#4e4", "van_der_pol@mu=1000", "hodgkin_huxley", "lorenz", "prothero_robinson")


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
    return np.concatenate([y, np.ravel(slopes)]), rates


def by_scipy(model, method, limit):
    """Seconds and S (n, m) at the end; None where it takes too long."""
    start, rates = augmented(model)
    rates(0.0, start)
    began = time.perf_counter()

    def timed(t, z):
        if time.perf_counter() - began > limit:
            raise TimeIsOverError
        return np.asarray(rates(t, z))

    try:
        found = solve_ivp(
            timed, (0.0, model.t_end), start, method=method, rtol=1e-13, atol=1e-20,
            t_eval=[model.t_end],
        )  # fmt: skip
    except TimeIsOverError:
        return time.perf_counter() - began, None
    seconds = time.perf_counter() - began
    return seconds, found.y[model.n :, -1].reshape(model.n, model.m) if found.success else None


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
        print(f"{text}: {own:.2f} s, {float(found.digits):.1f} digits, {found.status}")
        for rung in found.rungs[:1]:
            print(f"    {rung['method']}; {rung.get('why', '')}")
        for method in ("Radau", "DOP853"):
            seconds, sensitivities = by_scipy(model, method, options.limit)
            if sensitivities is None:
                print(f"    {method}: nothing after {seconds:.1f} s")
                continue
            digits = agreement(sensitivities, found, model)
            print(f"    {method}: {seconds:.2f} s, {digits:.1f} digits, ratio {seconds / own:.1f}")


if __name__ == "__main__":
    main()
