"""Does an error-controlled Jacobian cost more than diffrax's own jacfwd at the same tolerance?

Both run in this process, in turn, on the bursting neuron with 13 parameters; what is reported is
the ratio of the medians of the times of warm solves, with the error of dV(500)/dp beside it.

    NPROC=1 python benchmarks/jacobian_cost.py [tsit5 dopri8] [--rounds 9]
"""

from __future__ import annotations

import argparse
import statistics

import diffrax
import jax.numpy as jnp
from common import forward_ad, relative_error, seconds, states_at

import gradaudit


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
        jacfwd = forward_ad(
            states_at(model, solver, max_steps=1_000_000, adjoint=diffrax.ForwardMode())
        )
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
                return jacfwd(p, rtol)

            errors = [
                relative_error(s, exact, model.nominal)
                for s in (plain()[-1, 0], controlled().sensitivities[-1, 0])
            ]
            pairs = [(seconds(plain), seconds(controlled)) for _ in range(arguments.rounds)]
            a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(
                f"{solver:8s} {rtol:6.0e} {a:9.3f}s {b:9.3f}s {b / a:6.2f}   "
                f"{errors[0]:.1e} {errors[1]:.1e}"
            )


if __name__ == "__main__":
    main()
