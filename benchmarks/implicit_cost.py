"""Time to a gradient of stiff models by implicit solvers, side by side in one process.

    NPROC=1 python benchmarks/implicit_cost.py [MODEL ...]

For each model, solver and tolerance: the error of dy(t_end)/dp in scaled parameters against the
certified reference, the time of a warm solve, its ratio to plain diffrax (`jacfwd` of Kvaerno5 at
the same tolerance), and the time of the first call, most of it compilation. Steps of the checked
solves are controlled for states and tangents, without an estimate.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from common import ATOL_FACTOR, forward_ad, median, relative_error, states_at

import gradaudit

MODELS = ("robertson@t_end=40", "van_der_pol@mu=100", "hires", "drosophila_clock")
SOLVERS = ("rodas5p", "kvaerno5", "tsit5")
TOLERANCES = (1e-4, 1e-6, 1e-8)
REPEATS = 5
MOST_STEPS = 2_000_000


def checked(model, solver, rtol):
    """The Jacobian at the end of the window by `checked_jacfwd`."""
    run = gradaudit.checked_jacfwd(
        lambda ys: ys[-1],
        model.vector_field,
        y0=jnp.asarray(model.declared_state),
        ts=[model.t_end],
        solver=solver,
        rtol=rtol,
        atol=ATOL_FACTOR * rtol,
        propagate=False,
        max_steps=MOST_STEPS,
    )
    return lambda p: run(p).jacobian


def timed(function, p):
    """The result, seconds of the first call, and the median of those that follow."""
    started = time.perf_counter()
    result = jax.block_until_ready(function(p))
    first = time.perf_counter() - started
    return np.asarray(result), first, median(lambda: function(p), REPEATS)


def main() -> None:
    """Print the table."""
    print(
        f"{'model':20} {'solver':15} {'rtol':>6} {'error':>8} {'ms':>9} {'ratio':>7} {'first':>7}"
    )
    for name in sys.argv[1:] or MODELS:
        model = gradaudit.load_model(name)
        p = jnp.asarray(model.nominal)
        reference = gradaudit.reference(model, [model.t_end])
        exact = np.asarray(reference.sensitivities)[0]
        end = states_at(
            model,
            "kvaerno5",
            max_steps=MOST_STEPS,
            adjoint=diffrax.ForwardMode(),
            throw=False,
        )
        plain = forward_ad(lambda p, rtol, end=end: end(p, rtol)[0])
        for rtol in TOLERANCES:
            programs = {"plain kvaerno5": partial(plain, rtol=rtol)}
            programs |= {solver: checked(model, solver, rtol) for solver in SOLVERS}
            unit = float("nan")
            for solver, function in programs.items():
                found, first, warm = timed(function, p)
                unit = warm if solver == "plain kvaerno5" else unit
                error = relative_error(found, exact, model.nominal)
                print(
                    f"{name:20} {solver:15} {rtol:6.0e} {error:8.1e} {1e3 * warm:9.2f} "
                    f"{warm / unit:7.3f} {first:5.1f} s",
                    flush=True,
                )


if __name__ == "__main__":
    main()
