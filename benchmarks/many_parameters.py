"""What does a gradient cost as the number of parameters grows, in solves without derivatives?

    NPROC=1 taskset -c 0 python benchmarks/many_parameters.py [8 64 256] [--rounds 9]

Eight states driven by m / 8 neurons; the parameters are the weights of the output layer, so that
the vector field is a product with a matrix of all m of them. Tsit5 at rtol 1e-6, observed at eleven
times. All run in this process, in turns; a ratio is of the fastest of the warm calls to the fastest
plain solve of diffrax. Of a call of `sensitivities` all is counted that a user waits for; the last
column is how much of it is no solve.
"""

from __future__ import annotations

import argparse
import itertools
import os
import time
from collections.abc import Iterator

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
from common import forward_ad, states_at

import gradaudit

jax.config.update("jax_enable_x64", True)

STATES, T_END, TIMES, RTOL = 8, 20.0, 11, 1e-6
IN_A_ROW = 3


def network(m: int) -> gradaudit.Model:
    """The model with m parameters, a multiple of 8; its weights are drawn with a fixed seed."""
    rng, width = np.random.default_rng(0), m // STATES
    inner = rng.normal(size=(width, STATES)) / 3.0
    shift = rng.normal(size=width)
    weights = rng.normal(size=m) / np.sqrt(width)

    def vector_field(t, y, p):
        return p.reshape(STATES, width) @ jnp.tanh(inner @ y + shift + jnp.sin(t)) - y

    return gradaudit.Model(
        name="network",
        vector_field=vector_field,
        states={f"y{k}": (0.1 * k, "1") for k in range(STATES)},
        parameters={f"w{k}": (float(w), "1") for k, w in enumerate(weights)},
        t_end=T_END,
        time_unit="s",
    )


def candidates(model: gradaudit.Model) -> dict:
    """By name: a function of p, and whether it is a call of `sensitivities`."""
    times = np.linspace(0.0, T_END, TIMES)

    def plain(**options):
        return states_at(model, "tsit5", times, max_steps=100_000, **options)

    def called(method):
        return lambda p: gradaudit.sensitivities(model, rtol=RTOL, times=times, method=method)

    def checked(propagate):
        function = gradaudit.checked_jacfwd(
            lambda ys: ys[-1, 0],
            model.vector_field,
            y0=jnp.asarray(model.declared_state),
            ts=times,
            rtol=RTOL,
            propagate=propagate,
        )
        return jax.jit(lambda p: function(p).value)

    jacobian = forward_ad(plain(adjoint=diffrax.ForwardMode()))
    states = plain()
    solve = jax.jit(lambda p: states(p, RTOL))
    return {
        "solve alone": solve,
        "diffrax, jacfwd": lambda p: jacobian(p, RTOL),
        "forward_ad": called("forward_ad"),
        "forward_sensitivity": called("forward_sensitivity"),
        "checked, cheap indicator": checked(False),
        "checked, one direction": checked("probe"),
        "checked, whole estimate": checked(True),
    }


def in_turns(functions: dict) -> Iterator:
    """Each of them several times in a row: the second call finds the caches as it left them."""
    for item in functions.items():
        yield from itertools.repeat(item, IN_A_ROW)


def main() -> None:
    """Print one row a number of parameters and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parameters", nargs="*", type=int, default=[8, 64, 256])
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    print(f"{'m':>4s} {'method':26s} {'ms':>8s} {'ratio':>7s} {'ms beside the solve':>20s}")
    for m in arguments.parameters:
        model = network(m)
        p, functions = jnp.asarray(model.nominal), candidates(model)
        for function in functions.values():
            jax.block_until_ready(function(p))
        fastest = dict.fromkeys(functions, np.inf)
        beside = dict.fromkeys(functions, np.nan)
        for _ in range(arguments.rounds):
            for name, function in in_turns(functions):
                start = time.perf_counter()
                found = jax.block_until_ready(function(p))
                taken = time.perf_counter() - start
                if taken < fastest[name]:
                    fastest[name] = taken
                    beside[name] = taken - getattr(found, "stats", {}).get("seconds", np.nan)
        for name, taken in fastest.items():
            ratio = taken / fastest["solve alone"]
            print(f"{m:4d} {name:26s} {1e3 * taken:8.2f} {ratio:7.1f} {1e3 * beside[name]:20.2f}")


if __name__ == "__main__":
    main()
