"""What do an error-controlled Jacobian, its error estimate and the drop-in cost over plain jacfwd?

All run in this process, in turn, on Hodgkin and Huxley's axon over 30 ms with 8 parameters, or on
another model; what is reported are ratios of the medians of the times of warm solves to that of
diffrax's own jacfwd, with the error of the gradient of the first state at the end beside them.
Gradaudit has XLA compile whole loops (`gradaudit.backend.xla_flags`), which makes diffrax faster as
well. So there are two ratios: to jacfwd in this process, and, as "alone", to jacfwd in a process of
its own that has XLA's defaults, which is what a user of diffrax has today. The last rows are the
drop-in with its columns as lanes, which is what `jax.vmap` would make of them, and what a plain
solve without derivatives takes.

    NPROC=1 python benchmarks/checked_cost.py [tsit5 dopri8] [--model liu_neuron] [--rounds 9]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from unittest import mock

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from common import median, relative_error, seconds, states_at

import gradaudit
from gradaudit.backend.xla_flags import LOOPS
from gradaudit.checked import drop_in


def terminal(model, solver, rtol, **options):
    """A function of p: the first state at the end."""
    states = states_at(model, solver, max_steps=100_000, **options)
    return lambda p: states(p, rtol)[-1, 0]


def candidates(model, solver, rtol, p):
    """By name: a compiled function of p, and how to take the Jacobian from what it returns."""
    plain = terminal(model, solver, rtol, adjoint=diffrax.ForwardMode())
    own = terminal(model, solver, rtol, solve=gradaudit.diffeqsolve)

    def checked(**settings):
        return gradaudit.checked_jacfwd(
            lambda ys: ys[-1, 0],
            model.vector_field,
            y0=jnp.asarray(model.declared_state),
            ts=[model.t_end],
            solver=solver,
            rtol=rtol,
            atol=1e-3 * rtol,
            **settings,
        )

    with mock.patch.object(drop_in, "columnwise", lambda pushed: pushed):
        lanes = jax.jit(jax.jacfwd(own)).lower(p).compile()
    return {
        "diffrax jacfwd": jax.jit(jax.jacfwd(plain)),
        "checked, states": checked(control="states", propagate=False),
        "checked, states, probed": checked(control="states", propagate="probe"),
        "checked, states, prop.": checked(control="states"),
        "checked, full, probed": checked(propagate="probe"),
        "checked, full": checked(propagate=False),
        "checked, full, propagated": checked(),
        "drop-in jacfwd": jax.jit(jax.jacfwd(own)),
        "drop-in jacfwd, lanes": lanes,
        "diffrax, value only": jax.jit(plain),
    }


def alone(model_name, solver, rtol, rounds) -> float:
    """Median time of diffrax's jacfwd in a process that has XLA's own threshold for loops."""
    flags = f"--xla_backend_extra_options={LOOPS}=1024"
    command = [sys.executable, __file__, solver, "--model", model_name, "--rounds", str(rounds)]
    told = subprocess.run(
        [*command, "--alone", str(rtol)],
        env=os.environ | {"XLA_FLAGS": flags},
        check=True,
        capture_output=True,
        text=True,
    )
    return float(told.stdout)


def main() -> None:
    """Print one row a (solver, tolerance, candidate)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("solvers", nargs="*", default=["tsit5", "dopri8"])
    parser.add_argument("--model", default="hodgkin_huxley@t_end=30")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument(
        "--alone", type=float, help="rtol: print the time of jacfwd and nothing else"
    )
    arguments = parser.parse_args()
    model = gradaudit.load_model(arguments.model)
    p = jnp.asarray(model.nominal)
    if arguments.alone is not None:
        plain = terminal(
            model, arguments.solvers[0], arguments.alone, adjoint=diffrax.ForwardMode()
        )
        jacobian = jax.jit(jax.jacfwd(plain))
        print(median(lambda: jacobian(p), arguments.rounds))
        return
    exact = gradaudit.reference(model, times=[model.t_end], digits=10).sensitivities[-1, 0]
    print(
        f"{'solver':8s} {'rtol':>6s} {'':26s} {'time':>9s} {'ratio':>6s} {'alone':>6s} "
        f"{'steps':>6s}    error"
    )
    for solver in arguments.solvers:
        for rtol in (1e-3, 1e-6, 1e-9):
            calls = candidates(model, solver, rtol, p)
            results = {name: call(p) for name, call in calls.items()}
            rounds = [
                [seconds(lambda call=call: call(p)) for call in calls.values()]
                for _ in range(arguments.rounds)
            ]
            own_process = alone(arguments.model, solver, rtol, arguments.rounds)
            medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
            for (name, result), typical in zip(results.items(), medians, strict=True):
                own = isinstance(result, gradaudit.CheckedJacobian)
                jacobian = np.asarray(result.jacobian if own else result)
                steps = str(result.stats.steps) if own else ""
                error = ""
                if jacobian.shape == exact.shape:
                    error = f"{relative_error(jacobian, exact, model.nominal):.1e}"
                print(
                    f"{solver:8s} {rtol:6.0e} {name:26s} {1e3 * typical:7.2f}ms "
                    f"{typical / medians[0]:6.2f} {typical / own_process:6.2f} "
                    f"{steps:>6s} {error:>8s}"
                )


if __name__ == "__main__":
    main()
