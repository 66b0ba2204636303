"""What does a certified reference of many states and parameters cost in time and memory?

Two systems of any size: the Brusselator on a line, whose cells act on their neighbours, and a
random network of reactions, in which most states act on each other by way of a few.

    NPROC=1 python benchmarks/large_reference.py [--states 200] [--parameters 100] [--limit 600]
"""

from __future__ import annotations

import argparse
import resource
import time

import jax.numpy as jnp
import numpy as np

import gradaudit


def line(n: int, m: int) -> gradaudit.Model:
    """The Brusselator with diffusion on n / 2 cells, whose feeds are the m parameters."""
    cells = n // 2
    rate = 0.02 * (cells / 10.0) ** 2  # the same diffusion on any number of cells
    repeats = -(-cells // m)

    def spread(w):
        left, right = jnp.concatenate([w[:1], w[:-1]]), jnp.concatenate([w[1:], w[-1:]])
        return rate * (left - 2.0 * w + right)

    def vector_field(t, y, p):
        u, v = y[:cells], y[cells:]
        feed = jnp.concatenate([p] * repeats)[:cells]
        return jnp.concatenate(
            [feed + u * u * v - 4.0 * u + spread(u), 3.0 * u - u * u * v + spread(v)]
        )

    wave = 1.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(cells) / cells)
    feeds = 1.0 + 0.1 * np.random.default_rng(3).random(m)
    return gradaudit.Model(
        name=f"line_{n}_{m}",
        vector_field=vector_field,
        states={f"u{i}": (float(wave[i]), "1") for i in range(cells)}
        | {f"v{i}": (3.0, "1") for i in range(cells)},
        parameters={f"feed{i}": (float(feeds[i]), "1") for i in range(m)},
        t_end=10.0,
    )


def network(n: int, m: int) -> gradaudit.Model:
    """3 n / 2 saturating reactions between random states, with m rate constants."""
    rng = np.random.default_rng(3)
    count = 3 * n // 2
    first, second, product = (rng.integers(0, n, count) for _ in range(3))
    rates = 10.0 ** rng.uniform(-1.0, 1.0, count)
    net = np.zeros((n, count))
    every = np.arange(count)
    np.subtract.at(net, (first, every), 1.0)
    np.subtract.at(net, (second, every), 1.0)
    np.add.at(net, (product, every), 2.0)
    rows, columns = np.nonzero(net)
    shares = rates / rates[every % m]

    def vector_field(t, y, p):
        flux = p[every % m] * shares * y[first] * y[second] / (1.0 + y[second])
        gain = jnp.zeros(n).at[rows].add(net[rows, columns] * flux[columns])
        return gain + 0.1 * (1.0 - y)

    return gradaudit.Model(
        name=f"network_{n}_{m}",
        vector_field=vector_field,
        states={f"y{i}": (1.0, "1") for i in range(n)},
        parameters={f"k{i}": (float(rates[i]), "1") for i in range(m)},
        t_end=10.0,
    )


def main() -> None:
    """Print a line for each system."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--states", type=int, default=200)
    parser.add_argument("--parameters", type=int, default=100)
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for each")
    options = parser.parse_args()
    for make in (line, network):
        begun, worked = time.perf_counter(), time.process_time()
        model = make(options.states, options.parameters)
        found = gradaudit.reference(
            model, np.linspace(0.0, model.t_end, 11), digits=10.0, time_limit=options.limit
        )
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{model.name}: {found.status}, {float(found.digits):.1f} digits, "
            f"{time.perf_counter() - begun:.0f} s ({time.process_time() - worked:.0f} s of "
            f"processor time), {memory:.1f} GiB at most so far; "
            f"{', '.join(str(rung['method']) for rung in found.rungs[-1:])}",
            flush=True,
        )


if __name__ == "__main__":
    main()
