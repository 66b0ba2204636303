"""Does an error-controlled Jacobian cost more than diffrax's own jacfwd at the same tolerance?

Both run in this process, in turn, on the bursting neuron with 13 parameters; what is reported is
the ratio of the medians of the times of warm solves, with the error of dV(500)/dp beside it.

    NPROC=1 python benchmarks/jacobian_cost.py [tsit5 dopri8] [--rounds 9]
"""

from __future__ import annotations

import argparse
import statistics
import time

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import gradaudit
from gradaudit.solvers.registry import get_solver


def plain_jacfwd(model, solver):
    """diffrax's forward mode as a user calls it: (p, rtol) -> dy(t_end)/dp."""

    def terminal(p, rtol):
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(model.vector_field),
            get_solver(solver).cls(),
            0.0,
            model.t_end,
            None,
            jnp.asarray(model.declared_state),
            args=p,
            stepsize_controller=diffrax.PIDController(rtol=rtol, atol=1e-3 * rtol),
            adjoint=diffrax.ForwardMode(),
            max_steps=1_000_000,
        )
        return solution.ys[-1]

    return jax.jit(jax.jacfwd(terminal))


def seconds(call) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Print one row a (solver, tolerance)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("solvers", nargs="*", default=["tsit5", "dopri8"])
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    model = gradaudit.load_model("liu_neuron")
    exact = gradaudit.reference(model, times=[model.t_end], digits=10).sensitivities[-1, 0]
    p = jnp.asarray(model.nominal)
    print(f"{'solver':8s} {'rtol':>6s} {'jacfwd':>10s} {'controlled':>10s} {'ratio':>6s}   errors")
    for solver in arguments.solvers:
        jacfwd = plain_jacfwd(model, solver)
        for rtol in (1e-3, 1e-6, 1e-9):

            def controlled(solver=solver, rtol=rtol):
                return gradaudit.sensitivities(
                    model,
                    solver=solver,
                    rtol=rtol,
                    method="forward_sensitivity",
                    times=[model.t_end],
                )

            def plain(jacfwd=jacfwd, rtol=rtol):
                return jax.block_until_ready(jacfwd(p, rtol))

            errors = [
                np.linalg.norm((s - exact) * model.nominal) / np.linalg.norm(exact * model.nominal)
                for s in (np.asarray(plain())[0], controlled().sensitivities[-1, 0])
            ]
            pairs = [(seconds(plain), seconds(controlled)) for _ in range(arguments.rounds)]
            a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(
                f"{solver:8s} {rtol:6.0e} {a:9.3f}s {b:9.3f}s {b / a:6.2f}   "
                f"{errors[0]:.1e} {errors[1]:.1e}"
            )


if __name__ == "__main__":
    main()
