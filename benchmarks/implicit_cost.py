"""Time to a gradient of stiff models by implicit solvers, side by side in one process.

    NPROC=1 python benchmarks/implicit_cost.py [MODEL ...]

For each model, solver and tolerance: the error of dy(t_end)/dp in scaled parameters against the
certified reference, the time of a warm solve, its ratio to plain diffrax (`jacfwd` of Kvaerno5 at
the same tolerance), and the time of the first call, most of it compilation. Steps of the checked
solves are controlled for states and tangents, without an estimate.
"""

from __future__ import annotations

import os
import statistics
import sys
import time

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import gradaudit

MODELS = ("robertson@t_end=40", "van_der_pol@mu=100", "hires", "drosophila_clock")
SOLVERS = ("rodas5p", "kvaerno5", "tsit5")
TOLERANCES = (1e-4, 1e-6, 1e-8)
REPEATS = 5


def checked(model, solver, rtol):
    """The Jacobian at the end of the window by `checked_jacfwd`."""
    run = gradaudit.checked_jacfwd(
        lambda ys: ys[-1],
        model.vector_field,
        y0=jnp.asarray(model.declared_state),
        ts=[model.t_end],
        solver=solver,
        rtol=rtol,
        atol=1e-3 * rtol,
        propagate=False,
        max_steps=2_000_000,
    )
    return lambda p: run(p).jacobian


def plain(model, rtol):
    """The same by forward AD through diffrax's own loop."""

    def end(p):
        return diffrax.diffeqsolve(
            diffrax.ODETerm(model.vector_field),
            diffrax.Kvaerno5(),
            0.0,
            model.t_end,
            None,
            jnp.asarray(model.declared_state),
            args=p,
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=1e-3 * rtol),
            adjoint=diffrax.ForwardMode(),
            max_steps=2_000_000,
            throw=False,
        ).ys[0]

    return jax.jit(jax.jacfwd(end))


def timed(function, p):
    """The result, seconds of the first call, and the median of those that follow."""
    started = time.perf_counter()
    result = jax.block_until_ready(function(p))
    first, warm = time.perf_counter() - started, []
    for _ in range(REPEATS):
        started = time.perf_counter()
        jax.block_until_ready(function(p))
        warm.append(time.perf_counter() - started)
    return np.asarray(result), first, statistics.median(warm)


def main() -> None:
    """Print the table."""
    print(
        f"{'model':20} {'solver':15} {'rtol':>6} {'error':>8} {'ms':>9} {'ratio':>7} {'first':>7}"
    )
    for name in sys.argv[1:] or MODELS:
        model = gradaudit.load_model(name)
        p = jnp.asarray(model.nominal)
        reference = gradaudit.reference(model, [model.t_end])
        exact = np.asarray(reference.sensitivities)[0] * model.nominal
        for rtol in TOLERANCES:
            programs = {"plain kvaerno5": plain(model, rtol)}
            programs |= {solver: checked(model, solver, rtol) for solver in SOLVERS}
            unit = float("nan")
            for solver, function in programs.items():
                found, first, warm = timed(function, p)
                unit = warm if solver == "plain kvaerno5" else unit
                error = np.linalg.norm(found * model.nominal - exact) / np.linalg.norm(exact)
                print(
                    f"{name:20} {solver:15} {rtol:6.0e} {error:8.1e} {1e3 * warm:9.2f} "
                    f"{warm / unit:7.3f} {first:5.1f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
